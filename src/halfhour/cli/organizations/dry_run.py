"""The option ``--dry-run`` for several organisations."""

import json
from typing import TYPE_CHECKING

from halfhour import settings
from halfhour.cli.dry_run import due_windows
from halfhour.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfhour.cli.options import ConnectionOptions
    from halfhour.organizations import Organization
    from halfhour.syncing.planner import SyncRequest


def print_due_windows_of_each(
    requests: "Sequence[tuple[Organization, SyncRequest]]", connection: "ConnectionOptions"
) -> None:
    """Print the due windows of each organisation and their cost, as JSON by name."""
    windows = {
        organization.name: due_windows(
            Store(organization.store_path),
            request,
            settings.configured_request_rate(
                connection.settings, connection.max_requests_per_minute, organization
            ),
        )
        for organization, request in requests
    }
    print(json.dumps(windows, indent=2))
