"""The metrics of the dashboard in the text format of Prometheus."""

from collections.abc import Mapping

from halfhour.errors import StoreError
from halfhour.model.vocabulary import Source
from halfhour.web.background_sync import ServedStore


def prometheus_text(served: Mapping[str, ServedStore], request_count: int) -> str:
    """Return all metrics; if a store of *served* cannot be read, a comment says why.

    The metrics of a store have the label `org`, unless its name is empty.
    """
    held_until, store_ok, sync_ok = dict[str, float](), dict[str, float](), dict[str, float]()
    comments = ""
    for name, entry in served.items():
        label = f'org="{name}"' if name else ""
        try:
            for source in Source:
                if settled := entry.store.settled_windows(source):
                    labels = ",".join(filter(None, [label, f'source="{source}"']))
                    held_until[f"{{{labels}}}"] = settled[-1].window.end.timestamp()
            store_ok[f"{{{label}}}" if label else ""] = True
        except StoreError as error:
            store_ok[f"{{{label}}}" if label else ""] = False
            comments += f"# {error}\n"
        if entry.background_sync.every:
            has_succeeded = not entry.background_sync.last_error
            sync_ok[f"{{{label}}}" if label else ""] = has_succeeded
    metrics: list[tuple[str, str, str, dict[str, float]]] = [
        ("requests_total", "counter", "Requests of the page.", {"": request_count}),
        ("store_ok", "gauge", "Whether the store can be read.", store_ok),
        (
            "held_until_seconds",
            "gauge",
            "End of the stored figures, in seconds since 1970.",
            held_until,
        ),
    ]
    if sync_ok:
        metrics.append(("sync_ok", "gauge", "Whether the last sync succeeded.", sync_ok))
    return comments + "".join(
        f"# HELP halfhour_{name} {meaning}\n# TYPE halfhour_{name} {kind}\n"
        + "".join(f"halfhour_{name}{label} {value:.0f}\n" for label, value in values.items())
        for name, kind, meaning, values in metrics
    )
