"""The view that an address requests, whatever is written in it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model.vocabulary import Basis
from halfhour.web.view_state import FILTER_NAMES, DayView, Measure, SortOrder, parse_view

NOW = datetime(2026, 3, 3, 10, tzinfo=UTC)
PARAMETERS = ("day", "zone", "measure", "basis", "sort", *FILTER_NAMES, "agent", "find")


def test_an_empty_address_shows_today_in_the_zone_of_the_server():
    late_evening = NOW.replace(hour=23)

    assert parse_view({}, NOW) == DayView(date(2026, 3, 3), ZoneInfo("UTC"))
    assert parse_view({}, late_evening, "Asia/Tokyo") == DayView(
        date(2026, 3, 4), ZoneInfo("Asia/Tokyo")
    )


def test_every_parameter_of_an_address_gets_into_the_view():
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
    view = parse_view(asked, NOW)

    assert view == DayView(
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
    question = view.day_question
    assert (question.queues, question.media) == (("QUEUE",), ("MEDIA",))
    assert (question.divisions, question.teams) == (("DIVISION",), ("TEAM",))


def test_a_wrong_zone_falls_back_to_that_of_the_server():
    view = parse_view({"zone": "BST"}, NOW, "Europe/Berlin")

    assert str(view.zone) == "Europe/Berlin"
    assert view.problems[0].endswith("; showing Europe/Berlin")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"day": "2026-02-30"}, "day '2026-02-30': write a date such as 2026-03-03"),
        ({"day": "20260302x"}, "write a date"),
        ({"day": "2031-01-01"}, "there are no figures of that day; showing 2026-03-03"),
        ({"day": "0001-01-01"}, "there are no figures of that day"),
        ({"measure": "hnadle"}, "did you mean 'handle'"),
        ({"basis": "both"}, "choose a cell to see both bases"),
        ({"basis": "postd"}, "did you mean 'posted'"),
        ({"sort": "nam"}, "did you mean 'name'"),
        ({"zone": "Europe/Londn"}, "did you mean 'Europe/London'"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": "BST"}, "write a place such as Europe/London; showing UTC"),
    ],
)
def test_a_mistake_in_an_address_is_reported_and_the_rest_is_shown(asked, sentence):
    view = parse_view({**asked, "find": "x"}, NOW)

    (problem,) = view.problems
    assert sentence in problem
    assert "--" not in problem
    assert view == DayView(date(2026, 3, 3), view.zone, find="x", problems=view.problems)


@given(st.dictionaries(st.sampled_from(PARAMETERS), st.text(max_size=40)))
def test_every_address_leads_to_a_day_that_can_be_shown(asked):
    view = parse_view(asked, NOW)

    assert view.day_interval.width in {timedelta(hours=hours) for hours in (23, 24, 25)}
    assert all(view.problems)


def test_an_unknown_queue_or_team_in_an_address_is_dropped_and_reported():
    choices = {"queue": ["Billing"], "media": ["voice"], "division": ["Home"], "team": []}
    asked = {"queue": "Biling", "media": "VOICE", "division": "Home", "team": "Team 1"}
    view = parse_view(asked, NOW).matching_choices(choices)

    assert (view.queue, view.media, view.division, view.team) == ("", "voice", "Home", "")
    assert len(view.problems) == 2
    assert view.problems[0] == (
        "queue 'Biling': the store has none of that name; did you mean 'Billing'?"
    )
