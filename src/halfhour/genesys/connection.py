"""The settings of a connection to Genesys Cloud: hosts, credentials, retry policy and pace."""

from base64 import b64encode
from dataclasses import dataclass, field

from halfhour.genesys.regions import Hosts
from halfhour.genesys.retry_policy import RetryPolicy
from halfhour.redaction import register_secret


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a connection to Genesys Cloud: hosts, credentials, retry policy and pace."""

    client_id: str
    client_secret: str = field(repr=False)
    hosts: Hosts
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    max_requests_per_minute: int | None = None

    def __post_init__(self) -> None:
        """Register the secret, so that all output masks it, also as in the login header."""
        register_secret(self.client_secret)
        credentials = f"{self.client_id}:{self.client_secret}"
        register_secret(b64encode(credentials.encode(errors="replace")).decode())
