"""Tests of what several syncs log, and of the summary, without a process."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfhour.cli.app import app
from halfhour.cli.organizations.messages import LogMessage, option_words, parse_message
from halfhour.cli.organizations.summary import (
    SyncSummary,
    describe_failures,
    describe_memory,
    exit_code_of_failures,
    peak_megabytes,
    summary_table,
)
from halfhour.model.intervals import Interval
from halfhour.model.vocabulary import Source
from halfhour.syncing.progress import Event, EventKind

START = datetime(2026, 3, 2, tzinfo=UTC)
COUNTS = st.none() | st.integers(0, 10**9)
WINDOWS = st.builds(
    lambda hours, length: Interval(
        START + timedelta(hours=hours), START + timedelta(hours=hours + length)
    ),
    st.integers(0, 10_000),
    st.integers(1, 24),
)
EVENTS = st.builds(
    Event,
    st.sampled_from(EventKind),
    st.none() | st.sampled_from(Source),
    st.none() | WINDOWS,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    COUNTS,
    st.none() | st.floats(0, 1e6),
    st.text(),
).filter(lambda event: event.requests is None or event.seconds is not None)


def log_line(event: Event) -> str:
    fields = {"time": "2026-03-02T00:00:00", "level": "warning", **event.as_json()}
    return json.dumps(fields)


@given(event=EVENTS)
def test_an_event_is_read_back_from_the_log(event):
    message = parse_message(log_line(event))

    assert (message.event, message.level) == (event, logging.WARNING)
    assert message.text == event.message


LINES = [
    ("halfhour: --zone: no such zone", "--zone: no such zone", logging.ERROR, False),
    ("Killed", "Killed", logging.ERROR, False),
    ("[1, 2]", "[1, 2]", logging.ERROR, False),
    ('{"level": 1}', '{"level": 1}', logging.ERROR, False),
    ('{"time": "", "level": "info", "message": "6 rows"}', "6 rows", logging.INFO, False),
    (
        '{"time": "", "level": "error", "event": "ended", "exit_code": 3, "reason": "no"}',
        "no",
        logging.ERROR,
        True,
    ),
    ('{"time": "", "level": "info", "event": "new kind"}', "", logging.INFO, False),
]


@pytest.mark.parametrize(("line", "text", "level", "has_ended"), LINES)
def test_every_line_has_a_text_and_a_level(line, text, level, has_ended):
    message = parse_message(line)

    assert (message.text, message.level, message.has_ended) == (text, level, has_ended)


def test_words_of_options_are_parsed_to_the_same_options():
    words = option_words(
        {"org": "acme", "from_": "2026-03-01", "to": None, "zone": "", "source": (Source.POSTED,),
         "reread": ["1d", "-x"], "attempts": 0, "dry_run": True, "max_requests_per_minute": 5}
    )  # fmt: skip

    assert words == [
        "--org=acme", "--from=2026-03-01", "--source=posted", "--reread=1d", "--reread=-x",
        "--attempts=0", "--dry-run", "--max-requests-per-minute=5",
    ]  # fmt: skip
    _, bound, *_ = app.parse_args(["sync", *words], exit_on_error=False, print_error=False)
    assert bound.arguments["reread"] == ("1d", "-x")
    assert bound.arguments["source"] == (Source.POSTED,)
    assert bound.arguments["connection"].max_requests_per_minute == 5


def ended(name: str, code: int, *, peak: int | None = None, reason: str = "") -> SyncSummary:
    summary = SyncSummary(name)
    if reason:
        summary.add_message(LogMessage(reason, fields={"event": "ended"}))
    summary.end(code, peak)
    return summary


def test_a_summary_counts_days_rows_and_failed_windows():
    summary = SyncSummary("acme")
    days = [Interval(START + timedelta(days=n), START + timedelta(days=n + 1)) for n in range(3)]
    for source in (Source.POSTED, Source.STATUS):
        for day in days[:2]:
            settled = Event(EventKind.SETTLED, source, day, rows=10, changed=1, done=1, of=6)
            summary.add_message(parse_message(log_line(settled)))
        failed = Event(EventKind.FAILED, source, days[2], reason="HTTP 500")
        summary.add_message(parse_message(log_line(failed)))
    summary.end(5, 123)

    assert summary_table([summary]).to_pylist() == [
        {"org": "acme", "settled_day_count": 2, "row_count": 40, "changed_count": 4,
         "failed_count": 2, "exit_code": 5, "peak_memory_mb": 123}
    ]  # fmt: skip


def test_failures_are_listed_with_their_reason():
    summaries = [
        ended("acme", 0),
        ended("globex", 3, reason="login: HTTP 401"),
        ended("initech", 5, reason="2 of 6 days of details are missing:\n  posted x\n  posted y"),
        ended("hooli", -9),
        ended("umbrella", 1),
    ]

    assert describe_failures(summaries[:1]) == ""
    first, *lines = describe_failures(summaries).splitlines()
    assert first.startswith("4 of 5 organisations failed; what the others have is stored")
    assert lines == [
        "  globex: exit code 3, login: HTTP 401",
        "  initech: exit code 5, 2 of 6 days of details are missing (listed above)",
        "  hooli: exit code 137, ended by signal 9",
        "  umbrella: exit code 1, without a message",
    ]


def test_the_message_about_syncs_that_all_failed_speaks_of_no_stored_rest():
    failures = describe_failures([ended("acme", 3, reason="login: HTTP 401")])

    assert failures == (
        "1 of 1 organisations failed; mend the causes and run it again:\n"
        "  acme: exit code 3, login: HTTP 401"
    )


@pytest.mark.parametrize(
    ("codes", "code"), [((3, 3), 3), ((4, 4), 4), ((3, 4), 5), ((3, 0), 5), ((1, 1), 5), ((4,), 4)]
)
def test_the_exit_code_of_all_is_3_or_4_if_nothing_could_be_had(codes, code):
    assert exit_code_of_failures([ended(str(n), end) for n, end in enumerate(codes)]) == code


MEMORY = [
    ([None, None], 4, ""),
    (
        [100, 490, 300],
        2,
        "490 MB of memory at most in a process; the 2 largest at once need 790 MB",
    ),
    ([100, None], 4, "100 MB of memory at most in a process; the 1 largest at once need 100 MB"),
    (
        [490] * 50,
        50,
        "490 MB of memory at most in a process; the 50 largest at once need 24,500 MB",
    ),
]


@pytest.mark.parametrize(("peaks", "at_once", "sentence"), MEMORY)
def test_the_memory_of_processes_at_once_is_told(peaks, at_once, sentence):
    summaries = [ended(str(number), 0, peak=peak) for number, peak in enumerate(peaks)]

    assert describe_memory(summaries, at_once) == sentence


def test_peaks_are_kilobytes_but_on_macos():
    assert peak_megabytes(490 << 10, "linux") == peak_megabytes(490 << 20, "darwin") == 490
