"""The option ``--dry-run``: print what a command would request, and send nothing."""

import json
from typing import TYPE_CHECKING

from halfhour.genesys.cost import preview_requests, request_cost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halfhour.genesys.regions import Hosts
    from halfhour.loading.destination import Destination
    from halfhour.model.question import Question
    from halfhour.store.store import Store
    from halfhour.syncing.planner import SyncRequest


def print_requests(question: "Question", hosts: "Mapping[str, Hosts]") -> None:
    """Print the requests that would answer *question*, as JSON.

    *hosts* are those of each organisation, by its name; if there is only one and its name is
    empty, its requests are not put under a name.
    """
    requests = {name: preview_requests(question, hosts[name]) for name in hosts}
    print(json.dumps(requests.get("", requests), indent=2))


def print_due_windows(
    store: "Store", request: "SyncRequest", requests_per_minute: int | None
) -> None:
    """Print the windows that are due and the cost of fetching them, as JSON."""
    print(json.dumps(due_windows(store, request, requests_per_minute), indent=2))


def due_windows(
    store: "Store", request: "SyncRequest", requests_per_minute: int | None
) -> dict[str, object]:
    """Return the windows that are due and the cost of fetching them."""
    from halfhour.clock import utc_now
    from halfhour.syncing import planner  # imported late, because a report's dry run opens no store

    due_days, request_count = planner.plan_due_days(store, request, utc_now())
    windows = [
        {"source": source, "window": str(day.day), "state": day.state}
        for source, days in due_days.items()
        for day in days
    ]
    return {"windows": windows, **request_cost(request_count, requests_per_minute)}


def print_load_plan(store: "Store", destination: "Destination") -> None:
    """Print the windows that a load would write or delete in *destination*, as JSON."""
    from halfhour.loading.runner import plan_store_load

    plan = plan_store_load(store, destination)
    keys = [(part.key, "load") for part in plan.to_load]
    keys += [(key, "delete") for key in plan.to_delete]
    windows = [
        {
            "source": key.source,
            "window": f"{key.window_start:%Y-%m-%d}" if key.window_start else None,
            "action": action,
        }
        for key, action in keys
    ]
    print(json.dumps({"windows": windows, "unchanged": plan.unchanged_count}, indent=2))
