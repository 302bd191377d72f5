"""Read the answer of an aggregates query into columns, as Genesys gave it."""

from typing import NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from halfhour.genesys.payloads import AggregateAnswer
from halfhour.ingest.arrow_json import flatten_lists, parse_objects

DIMENSIONS = ("userId", "queueId", "mediaType")
"""The dimensions by which halfhour groups; a group has some of them."""
_TEXT = pa.string()
_STATS = pa.struct([("sum", pa.float64()), ("count", pa.float64())])
_METRIC = pa.struct([("metric", _TEXT), ("qualifier", _TEXT), ("stats", _STATS)])
_BUCKET = pa.struct([("interval", _TEXT), ("metrics", pa.list_(_METRIC))])
_GROUP = pa.struct([(dimension, _TEXT) for dimension in DIMENSIONS])
_RESULTS = pa.list_(pa.struct([("group", _GROUP), ("data", pa.list_(_BUCKET))]))
_ANSWER = pa.schema([("results", _RESULTS)])


class RawAggregates(NamedTuple):
    """The groups, intervals and metrics of an answer, each list flat and in the answer's order.

    *groups* are structs of `DIMENSIONS`, *metrics* structs of `metric`, `qualifier` and `stats`.
    *group_of_interval* and *interval_of_metric* are positions in the list before.
    """

    groups: pa.StructArray
    intervals: pa.Array
    group_of_interval: pa.Array
    metrics: pa.StructArray
    interval_of_metric: pa.Array


def read_aggregates(body: bytes) -> RawAggregates:
    """Read the JSON of an answer. An explicit null counts as a missing key.

    Raises the errors of `msgspec.json.decode`, which tell which part has another form.
    """
    try:
        columns = parse_objects([body], _ANSWER)
        return _flatten_results(columns["results"])
    except (pa.ArrowInvalid, UnicodeDecodeError):
        answer = msgspec.json.decode(body, type=AggregateAnswer)
        results = msgspec.to_builtins(answer)["results"]
        return _flatten_results(pa.array([results], _RESULTS))


def _flatten_results(results: pa.ListArray) -> RawAggregates:
    """Return the columns of *results*. Raises ArrowInvalid if a required value is missing."""
    groups, _ = flatten_lists(results)
    buckets, group_of_interval = flatten_lists(groups.field("data"))
    metrics, interval_of_metric = flatten_lists(buckets.field("metrics"))
    if buckets.field("interval").null_count or metrics.field("metric").null_count:
        raise pa.ArrowInvalid("an interval without its times, or a metric without a name")
    for numbers in metrics.field("stats").flatten():
        if not pc.all(pc.is_finite(numbers), min_count=0).as_py():
            raise pa.ArrowInvalid("a number that is not finite")
    return RawAggregates(
        groups.field("group"),
        buckets.field("interval"),
        group_of_interval,
        metrics,
        interval_of_metric,
    )
