"""The secrets of OAuth clients in the system keyring, where the library keyring is installed."""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from halfhour.errors import ConfigError
from halfhour.redaction import register_secret

if TYPE_CHECKING:
    from halfhour.genesys.regions import Hosts

_SERVICE = "halfhour"
_SAFE_PRIORITY = 1
"""The lowest priority that `keyring` gives to a safe keyring, and not to a file in clear."""
_MIN_PRIORITY = 0.1
"""The lowest priority of one that keeps anything at all."""
_secrets: dict[tuple[str, str], str] = {}
"""Secrets that were read, as a keyring may ask a person each time."""


def has_keyring() -> bool:
    """Tell whether there is a system keyring, or another that the user of `keyring` has chosen.

    Raises ConfigError if the chosen one cannot be loaded.
    """
    if not find_spec("keyring"):
        return False
    import keyring.core

    try:
        is_chosen = keyring.core.load_env() or keyring.core.load_config()
        priority = keyring.get_keyring().priority
    except (ImportError, AttributeError, ValueError, RuntimeError) as error:
        raise ConfigError(
            f"the keyring that you have chosen cannot be loaded ({error}); check "
            "PYTHON_KEYRING_BACKEND and the configuration of keyring"
        ) from error
    return priority >= (_MIN_PRIORITY if is_chosen else _SAFE_PRIORITY)


def read_secret(client_id: str, hosts: "Hosts") -> str:
    """Return the secret of *client_id* that was kept for *hosts*; empty if there is none.

    It is bound to the hosts, so that a settings file cannot have it sent to others. Raises
    ConfigError if the keyring cannot be read.
    """
    key = _service_name(hosts), client_id
    if key not in _secrets and has_keyring():
        import keyring

        try:
            secret = keyring.get_password(*key) or ""
        except _keyring_errors() as error:
            raise ConfigError(
                f"the system keyring cannot be read ({type(error).__name__}); unlock it, or set "
                "GENESYS_CLIENT_SECRET"
            ) from error
        if not secret:
            return ""
        register_secret(secret)
        _secrets[key] = secret
    return _secrets.get(key, "")


def write_secret(client_id: str, hosts: "Hosts", secret: str) -> None:
    """Keep the *secret* of *client_id* for *hosts*. Raises ConfigError."""
    import keyring

    key = _service_name(hosts), client_id
    try:
        keyring.set_password(*key, secret)
    except _keyring_errors() as error:
        raise ConfigError(
            f"the system keyring did not take the secret ({type(error).__name__}); unlock it, or "
            "keep the secret in the settings file with ⟨secret_in⟩ file"
        ) from error
    _secrets[key] = secret


def _service_name(hosts: "Hosts") -> str:
    return f"{_SERVICE} {hosts.login}"


def _keyring_errors() -> tuple[Any, ...]:
    from keyring.errors import KeyringError

    return (KeyringError, RuntimeError, OSError)
