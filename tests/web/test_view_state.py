"""What an address asks to see, whatever is written in it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model.vocabulary import Basis
from halfhour.web.view_state import FILTER_NAMES, DayView, Measure, SortOrder, parse_view

NOW = datetime(2026, 3, 3, 10, tzinfo=UTC)
WORDS = ("day", "zone", "measure", "basis", "sort", *FILTER_NAMES, "agent", "find")


def test_an_empty_address_shows_today_in_the_zone_of_the_server():
    late = NOW.replace(hour=23)

    assert parse_view({}, NOW) == DayView(date(2026, 3, 3), ZoneInfo("UTC"))
    assert parse_view({}, late, "Asia/Tokyo") == DayView(date(2026, 3, 4), ZoneInfo("Asia/Tokyo"))


def test_every_word_of_an_address_is_read_into_the_view():
    asked = {
        "day": "2026-03-02",
        "zone": "Europe/London",
        "measure": "on-queue",
        "basis": "worked",
        "sort": "load",
        **{name: name.upper() for name in FILTER_NAMES},
        "agent": "a",
        "find": "f",
    }
    found = parse_view(asked, NOW)

    assert found == DayView(
        date(2026, 3, 2),
        ZoneInfo("Europe/London"),
        Measure.ON_QUEUE,
        Basis.WORKED,
        SortOrder.LOAD,
        "QUEUE",
        "MEDIA",
        "DIVISION",
        "TEAM",
        "a",
        "f",
    )
    question = found.day_question
    assert (question.queues, question.media) == (("QUEUE",), ("MEDIA",))
    assert (question.divisions, question.teams) == (("DIVISION",), ("TEAM",))


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"day": "2026-02-30"}, "day '2026-02-30' is no date such as 2026-03-03"),
        ({"day": "20260302x"}, "is no date"),
        ({"day": "2031-01-01"}, "there is nothing then; showing 2026-03-03"),
        ({"day": "0001-01-01"}, "there is nothing then"),
        ({"measure": "hnadle"}, "did you mean 'handle'"),
        ({"basis": "both"}, "choose a cell to see them side by side"),
        ({"basis": "postd"}, "did you mean 'posted'"),
        ({"sort": "nam"}, "did you mean 'name'"),
        ({"zone": "Europe/Londn"}, "did you mean 'Europe/London'"),
        ({"zone": "../../etc/passwd"}, "zone"),
    ],
)
def test_a_mistake_in_an_address_is_reported_and_the_rest_is_shown(asked, sentence):
    found = parse_view({**asked, "find": "x"}, NOW)

    (problem,) = found.problems
    assert sentence in problem
    assert "--" not in problem
    assert found == DayView(date(2026, 3, 3), found.zone, find="x", problems=found.problems)


@given(st.dictionaries(st.sampled_from(WORDS), st.text(max_size=40)))
def test_every_address_leads_to_a_day_that_can_be_shown(asked):
    found = parse_view(asked, NOW)

    assert found.day_interval.width in {timedelta(hours=each) for each in (23, 24, 25)}
    assert all(found.problems)


def test_an_unknown_queue_or_team_in_an_address_is_left_out_and_reported():
    known = {"queue": ["Billing"], "media": ["voice"], "division": ["Home"], "team": []}
    asked = {"queue": "Biling", "media": "VOICE", "division": "Home", "team": "Team 1"}
    found = parse_view(asked, NOW).matching_choices(known)

    assert (found.queue, found.media, found.division, found.team) == ("", "voice", "Home", "")
    assert len(found.problems) == 2
    assert (
        "queue 'Biling': none of that name is known here; did you mean 'Billing'"
        in found.problems[0]
    )
