"""Load the certificates to trust, and read who issued the certificate of a server."""

import os
import re
import ssl
from collections.abc import Iterator, Mapping

import httpx2

from halfhour.errors import ConfigError

FILE_VARIABLE, FOLDER_VARIABLE = "SSL_CERT_FILE", "SSL_CERT_DIR"
_HASHED_NAME = re.compile(r"[0-9a-fA-F]{8}\.\d+")
"""The name of a certificate in a folder, by which OpenSSL finds it."""
_VERSION_TAG = 0xA0
_ISSUER_POSITION = 2
"""The position of the issuer in a certificate, after the serial number and the algorithm."""
_ISSUER_NAMES = (b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x04\x0b")
"""Object ids of common name, organisation and unit; the first one that is there counts."""


def load_trusted_certificates(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return a context that trusts the certificates of the environment, or else of the system.

    Raises ConfigError if a variable names certificates that cannot be read.
    """
    file = environ.get(FILE_VARIABLE)
    folders = [name for name in environ.get(FOLDER_VARIABLE, "").split(os.pathsep) if name]
    if not file and not folders:
        # httpx2 asks the store of the system: on macOS and Windows through truststore.
        return httpx2.create_ssl_context(trust_env=False)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if file:
        _load_file(context, file)
    else:
        _refuse_folders_without_certificates(folders)
    for folder in folders:
        if os.path.isdir(folder):  # noqa: PTH112
            context.load_verify_locations(capath=folder)
    return context


def describe_trust(environ: Mapping[str, str]) -> str:
    """Return the place of the trusted certificates, such as ``the system's store``."""
    variables = [name for name in (FILE_VARIABLE, FOLDER_VARIABLE) if environ.get(name)]
    places = [f"{name} ({environ[name]})" for name in variables]
    return " and ".join(places) or "the system's store"


def issuer_of_certificate(certificate: bytes) -> str:
    """Return the name of the issuer of *certificate* (DER); empty if it cannot be read.

    Python decodes a certificate only after it has found it trusted.
    """
    try:
        ((_, body),) = _der_elements(certificate)
        fields = list(_der_elements(next(_der_elements(body))[1]))
        if fields[0][0] == _VERSION_TAG:
            del fields[0]
        names: dict[bytes, str] = {}
        for _, attributes in _der_elements(fields[_ISSUER_POSITION][1]):
            for _, attribute in _der_elements(attributes):
                (_, object_id), (_, value) = _der_elements(attribute)
                names[object_id] = value.decode("utf-8", errors="replace")
    except (ValueError, LookupError, StopIteration):
        return ""
    return next((names[name] for name in _ISSUER_NAMES if name in names), "")


def _load_file(context: ssl.SSLContext, file: str) -> None:
    try:
        context.load_verify_locations(cafile=file)
    except OSError as error:
        reason = "no certificate is in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise ConfigError(
            f"{FILE_VARIABLE} {file}: cannot be read ({reason}); set the variable to a file of "
            "trusted certificates (PEM), or unset it"
        ) from error


def _refuse_folders_without_certificates(folders: list[str]) -> None:
    """Raise ConfigError if no folder has a certificate. OpenSSL would trust nobody, silently."""
    reason = "there is no such folder"
    for folder in folders:
        try:
            if any(map(_HASHED_NAME.fullmatch, os.listdir(folder))):  # noqa: PTH208
                return
            reason = "no certificate is in it under the name that 'openssl rehash' gives"
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                reason = f"it cannot be read ({error.strerror})"
    raise ConfigError(
        f"{FOLDER_VARIABLE} {os.pathsep.join(folders)}: {reason}; set the variable to a folder of "
        "trusted certificates, or unset it"
    )


def _der_elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tag and the content of the DER elements in *data*. Raises ValueError."""
    while data:
        tag, length, start = data[0], data[1], 2
        if length > 0x80:
            start += length - 0x80
            length = int.from_bytes(data[2:start])
        if start + length > len(data):
            raise ValueError(f"the element has {length} bytes, and {len(data) - start} are left")
        yield tag, data[start : start + length]
        data = data[start + length :]
