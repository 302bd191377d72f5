# The command halfhour, with its store in the volume /data. With extras: --build-arg EXTRAS=all
FROM python:3.13-slim
ARG EXTRAS=
COPY pyproject.toml README.md /src/
COPY src /src/src
RUN pip install --no-cache-dir "/src${EXTRAS:+[$EXTRAS]}"
RUN useradd --create-home halfhour && install -d -o halfhour /data
USER halfhour
WORKDIR /data
VOLUME /data
EXPOSE 8030
ENTRYPOINT ["halfhour"]
CMD ["sync", "--watch", "15m", "--keep", "400d", "--log-format", "json"]
