"""What every agent did, half-hour by half-hour, from the Genesys Cloud API."""

from typing import TYPE_CHECKING, Any

from halfhour._version import __version__

__all__ = ["__version__", "load_settings", "report", "sync"]

if TYPE_CHECKING:
    from halfhour.api import load_settings, report, sync


def __getattr__(name: str) -> Any:
    # Lazy, so that `halfhour --help` loads no Arrow and no database.
    if name in __all__:
        from halfhour import api

        return getattr(api, name)
    raise AttributeError(f"module 'halfhour' has no attribute {name!r}")
