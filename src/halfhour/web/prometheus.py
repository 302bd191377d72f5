"""What Prometheus reads of the dashboard."""

from halfhour.errors import StoreError
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.web.background_sync import BackgroundSync


def prometheus_text(store: Store, live: BackgroundSync, requests: int) -> str:
    """What it reads of *store*. Why that cannot be read is for people, in a comment."""
    held, trouble = dict[str, float](), ""
    try:
        for source in Source:
            if settled := store.settled_windows(source):
                held[f'{{source="{source}"}}'] = settled[-1].window.end.timestamp()
    except StoreError as error:
        trouble = f"# {error}\n"
    told: list[tuple[str, str, str, dict[str, float]]] = [
        ("requests_total", "counter", "Questions that the page has asked.", {"": requests}),
        ("store_ok", "gauge", "Whether the store can be read.", {"": not trouble}),
        ("held_until_seconds", "gauge", "End of what it holds, in seconds since 1970.", held),
    ]
    if live.every:
        meaning = "Whether the last sync beside the page went well."
        told.append(("sync_ok", "gauge", meaning, {"": not live.last_error}))
    return trouble + "".join(
        f"# HELP halfhour_{name} {meaning}\n# TYPE halfhour_{name} {kind}\n"
        + "".join(f"halfhour_{name}{label} {value:.0f}\n" for label, value in found.items())
        for name, kind, meaning, found in told
    )
