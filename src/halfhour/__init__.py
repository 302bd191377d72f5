"""Agents' handle, talk, hold and after-call-work time by half-hour, from the Genesys Cloud API."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from halfhour._version import __version__

if TYPE_CHECKING:
    from halfhour import errors
    from halfhour.api import Event, Outcome, Settings, dlt_source, load_settings, report, sync
    from halfhour.errors import (
        ApiError,
        AuthError,
        ConfigError,
        HalfhourError,
        Incomplete,
        StoreBusy,
        StoreError,
        UnexpectedAnswer,
        Unreachable,
        WriteError,
    )

__all__ = [
    "ApiError",
    "AuthError",
    "ConfigError",
    "Event",
    "HalfhourError",
    "Incomplete",
    "Outcome",
    "Settings",
    "StoreBusy",
    "StoreError",
    "UnexpectedAnswer",
    "Unreachable",
    "WriteError",
    "__version__",
    "dlt_source",
    "errors",
    "load_settings",
    "report",
    "sync",
]


def __getattr__(name: str) -> Any:
    # Loaded at first use, so that `halfhour --help` loads no Arrow and no database.
    if name not in __all__:
        raise AttributeError(f"module 'halfhour' has no attribute {name!r}")
    errors = import_module("halfhour.errors")
    if name == "errors":
        return errors
    return getattr(errors, name, None) or getattr(import_module("halfhour.api"), name)


def __dir__() -> list[str]:
    return __all__
