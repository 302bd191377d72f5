"""Open a session of Spark: the one of the cluster that runs this program, or one of our own."""

import logging
import os
import re
import shutil
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from halfhour.errors import DEBUG_VARIABLE, ConfigError, Unreachable, WriteError, suggest_name

DEFAULT_MASTER = "local[*]"
_MASTER = re.compile(
    r"local(\[(\*|\d+)(, ?\d+)?\])?|local-cluster\[.+\]|yarn|spark://.+|k8s://.+", re.ASCII
)
_STANDALONE = re.compile(r"spark://(.+)")
_HOST_AND_PORT = re.compile(r"([^,:]+|\[[^\]]+\]):(\d{1,5})")
CONNECT_TIMEOUT = 5.0
"""Seconds to wait for the master of a standalone cluster."""
LOCAL_MEMORY = "4g"
LOCAL_SHUFFLE_PARTITIONS = 4
"""The number of parts of an intermediate table on one machine, where more only cost time."""

_SUBMITTED = "PYSPARK_GATEWAY_PORT"
"""The environment variable that spark-submit sets for the program that it runs."""
_SESSION_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MILLIS",
    # A batch for Python has one file, whatever its size.
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1",
    # Rows of several tables or days go into their files without being sorted first.
    "spark.sql.maxConcurrentOutputFileWriters": "16",
}

Session = Any
"""A `pyspark.sql.SparkSession`, whose package is an extra."""


@contextmanager
def open_session(master: str) -> Iterator[Session]:
    """Give a session of Spark in UTC until the block ends.

    Where a session runs already, as under spark-submit or in a notebook, the session belongs to
    its application. Otherwise an application is started at *master*, which is this machine if
    empty, and stopped in the end. Raises ConfigError, or Unreachable.
    """
    SparkSession = _import_spark()  # noqa: N806
    active_session = SparkSession.getActiveSession()
    is_submitted = _SUBMITTED in os.environ
    if master and (active_session or is_submitted):
        raise ConfigError(
            "⟨master⟩: this program runs in an application of Spark, which has a master; leave "
            "it out"
        )
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        # Spark hands over Arrow tables here, and pandas has no part in it.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        if active_session or is_submitted:
            session = active_session or SparkSession.builder.getOrCreate()
            if not hasattr(session, "_jvm"):
                raise ConfigError(
                    "this session is one of Spark Connect, which gives no access to file systems; "
                    "run it where Spark's driver runs, such as a job or a dedicated cluster"
                )
        else:
            session = stack.enter_context(_start_application(master or DEFAULT_MASTER))
        own_session = session.newSession()
        for name, value in _SESSION_SETTINGS.items():
            own_session.conf.set(name, value)
        if own_session.sparkContext.master.startswith("local"):
            own_session.conf.set("spark.sql.shuffle.partitions", str(LOCAL_SHUFFLE_PARTITIONS))
        yield own_session


def _import_spark() -> Any:
    try:
        import pandas  # noqa: F401
        import sqlglot  # noqa: F401
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"⟨engine⟩ spark needs more packages: pip install 'halfhour[spark]' ({error})"
        ) from error
    return SparkSession


@contextmanager
def _start_application(master: str) -> Iterator[Session]:
    """Start Spark in a new process, without its log, and stop it when the block ends."""
    from py4j.protocol import Py4JError
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    _refuse_unknown_master(master)
    _require_java()
    _require_standalone_master(master)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {"spark.master": master, "spark.app.name": "halfhour", "spark.ui.enabled": "false"}
    if master.startswith("local"):
        settings |= {"spark.driver.memory": LOCAL_MEMORY, "spark.driver.host": "127.0.0.1"}
        settings |= {"spark.driver.bindAddress": "127.0.0.1"}
    # Py4J logs an interrupt as an error of the root logger, which would write it to stderr.
    logging.getLogger().addHandler(logging.NullHandler())
    configuration = SparkConf(loadDefaults=False).setAll(list(settings.items()))
    with tempfile.TemporaryFile() as log:
        streams = {} if os.environ.get(DEBUG_VARIABLE) else {"stdout": log, "stderr": log}
        try:
            gateway = launch_gateway(configuration, popen_kwargs=streams)
            context = SparkContext(conf=configuration, gateway=gateway)
        except (Py4JError, PySparkException) as error:
            kind = ConfigError if master.startswith("local") else Unreachable
            raise kind(
                f"⟨master⟩ {master}: Spark did not start ({_last_reason(log) or explain(error)})"
            ) from error
        try:
            yield SparkSession(context)
        finally:
            with suppress(Py4JError, OSError):  # It may have ended.
                context.stop()


def _refuse_unknown_master(master: str) -> None:
    if not _MASTER.fullmatch(master):
        hint = suggest_name(master.partition("[")[0].partition(":")[0], ("local", "yarn"))
        raise ConfigError(
            f"⟨master⟩ {master!r} is no master of Spark; write one like local[4], yarn, "
            f"spark://HOST:7077 or k8s://https://HOST:6443{hint}"
        )


def _require_java() -> None:
    home = os.environ.get("JAVA_HOME", "")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if not java:
        place = f"JAVA_HOME ({home}) has none" if home else "it is not installed, or not in PATH"
        raise ConfigError(
            f"⟨engine⟩ spark needs Java 17 or newer: {place}; install it, such as with "
            "'apt install default-jre-headless'"
        )


def _require_standalone_master(master: str) -> None:
    """Raise Unreachable at once if a standalone cluster does not answer: Spark tries for long."""
    standalone = _STANDALONE.fullmatch(master)
    if not standalone:
        return
    reason: object = "write its host and port, such as spark://HOST:7077"
    for host, port in _HOST_AND_PORT.findall(standalone[1]):
        try:
            socket.create_connection((host.strip("[]"), int(port)), CONNECT_TIMEOUT).close()
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
        else:
            return
    raise Unreachable(f"⟨master⟩ {master}: it does not answer ({reason})")


def _last_reason(log: IO[bytes]) -> str:
    """Return the last line of Spark's *log* that tells of an error."""
    log.seek(0)
    lines = log.read().decode(errors="replace").splitlines()
    reasons = [line for line in lines if re.search(r"Exception|Error|ERROR|unsupported", line)]
    return reasons[-1].strip() if reasons else ""


@contextmanager
def explain_spark_errors(output: str) -> Iterator[None]:
    """Raise WriteError if Spark fails while it works on *output*."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (Py4JError, PySparkException) as error:
        raise WriteError(
            f"⟨output⟩ {output}: not written in full, because Spark failed ({explain(error)}); "
            "each file there is whole, old or new, so mend that and run it again"
        ) from error


def explain(error: Exception) -> str:
    """Return the first line of what an error of Spark says, of its last cause if it has causes."""
    exception = getattr(error, "java_exception", None)
    while exception is not None and exception.getCause() is not None:
        exception = exception.getCause()
    text = exception.toString() if exception is not None else str(error)
    lines = text.strip().splitlines() or [type(error).__name__]
    return str(lines[0])
