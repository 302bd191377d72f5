"""Tests of the parts of Genesys Cloud's JSON: an explicit null equals a missing key."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.genesys import payloads
from halfhour.ingest import aggregates
from halfhour.ingest.raw_aggregates import read_aggregates
from halfhour.model.intervals import HALF_HOUR, Interval

SOME: dict[Any, Any] = {str: "x", int: 1, float: 1.0, payloads.DirectoryEntity: {"id": "x"}}
STRUCTS = [
    payloads.ListPage[payloads.DirectoryEntity] if value is payloads.ListPage else value
    for value in vars(payloads).values()
    if isinstance(value, type)
    and issubclass(value, payloads.Payload)
    and value is not payloads.Payload
]
OPTIONAL = [
    pytest.param(struct, field, id=f"{struct}.{field.name}".rpartition("payloads.")[2])
    for struct in STRUCTS
    for field in msgspec.structs.fields(struct)
    if not field.required
]


@pytest.mark.parametrize(("struct", "field"), OPTIONAL)
def test_a_null_is_read_as_if_the_key_were_missing(struct, field):
    required = {
        needed.encode_name: SOME[needed.type]
        for needed in msgspec.structs.fields(struct)
        if needed.required
    }
    missing = msgspec.json.encode(required)
    null = msgspec.json.encode({**required, field.encode_name: None})

    assert msgspec.json.decode(null, type=struct) == msgspec.json.decode(missing, type=struct)


WINDOW = Interval(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
stats = st.fixed_dictionaries(
    {}, optional={"sum": st.none() | st.integers(0, 9), "count": st.none()}
)
metrics = st.fixed_dictionaries(
    {"metric": st.sampled_from(("tHandle", "tAcw", "tAgentRoutingStatus"))},
    optional={"qualifier": st.none() | st.just("IDLE"), "stats": st.none() | stats},
)


def metric_key(metric: dict[str, Any]) -> tuple[str, str | None]:
    """Return the key that an answer may have only once."""
    return metric["metric"], metric.get("qualifier")


buckets = st.fixed_dictionaries(
    {"interval": st.just("2026-03-02T08:00:00Z/2026-03-02T08:30:00Z")},
    optional={"metrics": st.none() | st.lists(metrics, max_size=3, unique_by=metric_key)},
)
groups = st.fixed_dictionaries(
    {"group": st.fixed_dictionaries({"userId": st.just("ada"), "queueId": st.none()})},
    optional={"data": st.none() | st.lists(buckets, max_size=1)},
)
answers = st.fixed_dictionaries({}, optional={"results": st.none() | st.lists(groups, max_size=1)})


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


@given(answers)
def test_aggregates_with_nulls_are_read_as_the_same_without_nulls(answer):
    read, right = (
        read_aggregates(msgspec.json.encode(content)) for content in (answer, without_nulls(answer))
    )

    as_objects, same_objects = (
        msgspec.json.decode(msgspec.json.encode(content), type=payloads.AggregateAnswer)
        for content in (answer, without_nulls(answer))
    )
    assert as_objects == same_objects
    assert aggregates.posted_table(read, WINDOW, HALF_HOUR).equals(
        aggregates.posted_table(right, WINDOW, HALF_HOUR)
    )
    assert aggregates.status_table(read, WINDOW, HALF_HOUR).equals(
        aggregates.status_table(right, WINDOW, HALF_HOUR)
    )
