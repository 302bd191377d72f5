"""The metrics of the dashboard in the text format of Prometheus."""

from halfhour.errors import StoreError
from halfhour.model.vocabulary import Source
from halfhour.store.store import Store
from halfhour.web.background_sync import BackgroundSync


def prometheus_text(store: Store, background_sync: BackgroundSync, request_count: int) -> str:
    """Return all metrics; if *store* cannot be read, a comment says why."""
    held_until, comment = dict[str, float](), ""
    try:
        for source in Source:
            if settled := store.settled_windows(source):
                held_until[f'{{source="{source}"}}'] = settled[-1].window.end.timestamp()
    except StoreError as error:
        comment = f"# {error}\n"
    metrics: list[tuple[str, str, str, dict[str, float]]] = [
        ("requests_total", "counter", "Requests of the page.", {"": request_count}),
        ("store_ok", "gauge", "Whether the store can be read.", {"": not comment}),
        (
            "held_until_seconds",
            "gauge",
            "End of the stored figures, in seconds since 1970.",
            held_until,
        ),
    ]
    if background_sync.every:
        succeeded: dict[str, float] = {"": not background_sync.last_error}
        metrics.append(("sync_ok", "gauge", "Whether the last sync succeeded.", succeeded))
    return comment + "".join(
        f"# HELP halfhour_{name} {meaning}\n# TYPE halfhour_{name} {kind}\n"
        + "".join(f"halfhour_{name}{label} {value:.0f}\n" for label, value in values.items())
        for name, kind, meaning, values in metrics
    )
