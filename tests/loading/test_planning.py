"""The plan of a load, against an oracle that compares two dictionaries."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from halfhour.loading.planning import DIRECTORIES, Part, PartKey, plan_load
from halfhour.model.coverage import DAY
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source

START = datetime(2026, 3, 2, tzinfo=UTC)
MOMENTS = st.integers(0, 2).map(lambda hours: START + timedelta(hours=hours))
WINDOWS = st.builds(
    lambda day, hours: Interval(START + day * DAY, START + day * DAY + timedelta(hours=hours)),
    st.integers(0, 3),
    st.sampled_from([10, 24]),
)
WINDOW_PARTS = st.builds(
    Part,
    st.sampled_from(list(Source)),
    MOMENTS,
    WINDOWS,
    has_raw=st.booleans(),
    rules=st.sampled_from(["", "a", "b"]),
)
DIRECTORY_PARTS = st.builds(
    Part, st.sampled_from(DIRECTORIES), MOMENTS, row_count=st.integers(1, 2)
)
PARTS = st.lists(WINDOW_PARTS | DIRECTORY_PARTS, unique_by=lambda part: part.key, max_size=8)


def loaded(part: Part) -> Part:
    """The part as a ledger has it, in which every row is counted."""
    return Part(
        str(part.source), part.read_at, part.window, part.has_raw, part.rules, part.row_count or 0
    )


@given(PARTS, PARTS)
def test_a_plan_loads_what_differs_and_deletes_what_the_store_lacks(stored, ledger):
    plan = plan_load(stored, map(loaded, ledger))

    there = {part.key: part for part in ledger}
    wanted = {part.key: part for part in stored}
    differing = {key for key, part in wanted.items() if there.get(key) != part}
    assert {part.key for part in plan.to_load} == differing
    assert set(plan.to_delete) == there.keys() - wanted.keys()
    assert plan.unchanged_count == len(wanted) - len(differing)
    assert plan.step_count == len(plan.to_load) + len(plan.to_delete)


@given(PARTS, PARTS)
def test_nothing_is_left_to_do_after_a_plan_is_carried_out(stored, ledger):
    there = {part.key: loaded(part) for part in ledger}
    plan = plan_load(stored, there.values())
    for part in plan.to_load:
        there[part.key] = loaded(part)
    for key in plan.to_delete:
        del there[key]

    assert plan_load(stored, there.values()).step_count == 0


@given(PARTS)
def test_directories_come_first_and_windows_from_the_oldest_on(stored):
    plan = plan_load(stored, [])

    starts = [part.window.start if part.window else START - DAY for part in plan.to_load]
    assert starts == sorted(starts)
    assert all(not part.window for part in plan.to_load[: sum(not part.window for part in stored)])


def test_what_only_a_newer_halfhour_loads_stays():
    ledger = [Part("recordings", START, Interval(START, START + DAY), row_count=7)]

    assert plan_load([], ledger).step_count == 0


def test_a_directory_is_loaded_again_if_it_has_more_rows_of_the_same_time():
    before, after = (Part("agents", START, row_count=count) for count in (1, 2))

    plan = plan_load([after], [before])

    assert [part.key for part in plan.to_load] == [PartKey("agents")]
