"""The option ``--dry-run`` for several organisations."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from halfhour import settings
from halfhour.cli.dry_run import due_windows
from halfhour.genesys.cost import preview_requests
from halfhour.organizations import Organization
from halfhour.store.store import Store

if TYPE_CHECKING:
    from halfhour.cli.options import ConnectionOptions
    from halfhour.model.question import Question
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


def print_requests_of_each(
    organizations: Sequence[Organization], question: "Question", connection: "ConnectionOptions"
) -> None:
    """Print the requests that would answer *question* of each organisation, as JSON by name."""
    requests = {
        organization.name: preview_requests(
            question,
            settings.configured_hosts(
                file=connection.settings, org=organization, region=connection.region
            ),
        )
        for organization in organizations
    }
    print(json.dumps(requests, indent=2))
