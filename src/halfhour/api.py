"""The Python door: the same rows as the command line, as Arrow tables."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa

from halfhour.errors import ConfigError, near_miss
from halfhour.genesys.requests import Question
from halfhour.ingest import queries as fetching
from halfhour.model import time_ranges
from halfhour.model.intervals import WIDTHS, Interval
from halfhour.model.vocabulary import MEDIA, Basis, By
from halfhour.reports import questions
from halfhour.reports.from_store import check, holdings, passing, wish_of
from halfhour.reports.pseudonyms import Pseudonyms
from halfhour.settings import Settings
from halfhour.settings import load as load_settings
from halfhour.store.store import Store
from halfhour.syncing import runner
from halfhour.syncing.planner import Wish
from halfhour.syncing.progress import Event, Outcome, Tell

T = TypeVar("T")

__all__ = ["load_settings", "report", "sync"]


def report(
    *,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    last: str | None = None,
    queues: Sequence[str] = (),
    agents: Sequence[str] = (),
    media: Sequence[str] = (),
    divisions: Sequence[str] = (),
    teams: Sequence[str] = (),
    zone: str = "UTC",
    by: str = "interval",
    basis: str = "posted",
    granularity: str = "30m",
    with_capacity: bool = False,
    sort: str = "",
    top: int | None = None,
    pseudonym_key: str = "",
    settings: Settings | None = None,
    store: str | Path | None = None,
    offline: bool = False,
) -> pa.Table:
    """What each agent did, by half-hour or over the whole range.

    *start* and *end* are half-open, on half-hours, read in *zone* where they
    carry no offset; *last* is such as ``"24h"`` or ``"7d"`` and is the 24 full
    hours before now if nothing is given. *queues* and *agents* are names or
    ids, *divisions* and *teams* names of those that agents belong to.
    *granularity* is how long intervals are, ``"30m"`` or ``"15m"``.
    *with_capacity* adds `preview_capacity_used_percent`. Without *settings*
    they are loaded from the environment and the settings file, as on the
    command line (`load_settings`). With a *store*, what it lacks is read into
    it first, unless *offline*, and it answers.

    ``by="interval"``: one row per interval and agent that anything is known
    of, sorted by interval, name, id. Columns: `interval_start` and
    `interval_end` (timestamp[ms] in *zone*), `agent_id`, `agent_name`, then
    `handle_time_sec`, `acw_time_sec`, `hold_time_sec` and more `_time_sec`
    (float64 seconds, exact to the millisecond), `_count` (int64),
    `exceeds_interval` (bool), `provisional` (bool: Genesys may still correct
    it) and `basis`. On that which is "posted" a value lies whole in the interval
    in which it was completed, so a half-hour can hold more than 1,800 seconds.

    ``by="agent"``: one row per agent with the totals, the means per interval
    that anything was posted in, AHT (`aht_sec`), and `acw_share_ratio` and
    `hold_share_ratio` of handle time; null where there is nothing to divide by.

    ``by="day"``: the same per local day of *zone* and agent. ``by="queue"`` and
    ``by="media"``: totals of what can be told apart so, the most handle time
    first; ``by="queue-interval"``: intervals of queues and media types. With a
    *pseudonym_key* names and ids are replaced. *sort* names the column to sort
    by, *top* is how many rows to keep.

    Raises ConfigError, AuthError, ApiError, Unreachable, UnexpectedAnswer or
    StoreError (`halfhour.errors`), each with a message that says what to do,
    and Incomplete where a store does not have all of it.
    """
    words: Sequence[tuple[str, str, Iterable[str]]] = (
        ("by", by, By),
        ("basis", basis, Basis),
        ("granularity", granularity, WIDTHS),
    )
    for name, given, known in words:
        if given not in set(known):
            raise ConfigError(
                f"{name}={given!r}: known are {', '.join(known)}{near_miss(given, known)}"
            )
    question = ask(
        start=start,
        end=end,
        last=last,
        queues=queues,
        agents=agents,
        media=media,
        divisions=divisions,
        teams=teams,
        zone=zone,
        by=by,
        basis=basis,
        granularity=granularity,
        with_capacity=with_capacity,
        sort=sort,
        top=top,
        offline=offline,
    )
    with passing(Store(Path(store)) if store else None, question) as held:
        if held is None:
            found = _run(fetching.fetch(settings or load_settings(), question, now()))
        else:
            if not offline:
                wish = wish_of(question, held)
                _run(runner.sync(settings or load_settings(), held, wish, now, _nothing)).check()
            found = holdings(held, question, now())
            check({each: found.days[each] for each in question.sources}, question.interval)
        if question.with_capacity:
            found = _run(fetching.with_capacity(settings or load_settings(), question, found))
    return questions.report(
        question, Pseudonyms(pseudonym_key).found(found) if pseudonym_key else found
    )


def sync(
    store: str | Path = "halfhour.duckdb",
    *,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    last: str | None = None,
    zone: str = "UTC",
    settings: Settings | None = None,
    tell: Tell | None = None,
) -> Outcome:
    """Bring *store* up to date: the days of a range, or without one all since its first day
    (31 days for a new store), as far as they are missing, unfinished or due to be read again.

    *tell* is called with each `halfhour.syncing.Event`. Raises what `report`
    raises; Incomplete if some windows could not be had, the others being kept.
    """
    given = start or end or last
    interval = span(start=start, end=end, last=last, zone=zone) if given else None
    outcome = _run(
        runner.sync(
            settings or load_settings(), Store(Path(store)), Wish(interval), now, tell or _nothing
        )
    )
    outcome.check()
    return outcome


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


def _nothing(_: Event) -> None:
    pass


def span(
    *, start: str | datetime | None, end: str | datetime | None, last: str | None, zone: str
) -> Interval:
    """The interval that those words ask for at this moment. Raises ConfigError."""
    return time_ranges.asked(
        start=start.isoformat() if isinstance(start, datetime) else start,
        end=end.isoformat() if isinstance(end, datetime) else end,
        last=last,
        local=time_ranges.zone(zone),
        now=now(),
    )


def ask(
    *,
    start: str | datetime | None,
    end: str | datetime | None,
    last: str | None,
    queues: Sequence[str],
    agents: Sequence[str],
    media: Sequence[str],
    divisions: Sequence[str],
    teams: Sequence[str],
    zone: str,
    by: str,
    basis: str,
    granularity: str,
    with_capacity: bool,
    sort: str,
    top: int | None,
    offline: bool,
) -> Question:
    """The question that those words ask at this moment. Raises ConfigError."""
    if with_capacity and by != By.INTERVAL:
        raise ConfigError(
            "--with-capacity: only with --by interval, as nobody says how these figures add up"
        )
    if with_capacity and (queues or media):
        raise ConfigError(
            "--with-capacity: it is of all that an agent does; leave out --queue and --media"
        )
    if with_capacity and offline:
        raise ConfigError("--with-capacity: a store does not keep it; leave out --offline")
    if top is not None and top < 1:
        raise ConfigError(f"--top {top}: write a number above 0")
    return Question(
        span(start=start, end=end, last=last, zone=zone),
        time_ranges.zone(zone),
        By(by),
        Basis(basis),
        tuple(queues),
        tuple(agents),
        _media(media),
        tuple(divisions),
        tuple(teams),
        with_capacity,
        sort,
        top,
        WIDTHS[granularity],
    )


def _media(wanted: Sequence[str]) -> tuple[str, ...]:
    for text in wanted:
        if text not in MEDIA:
            raise ConfigError(
                f"--media {text!r}: known are {', '.join(MEDIA)}{near_miss(text, MEDIA)}"
            )
    return tuple(wanted)


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:  # a notebook has a loop of its own running
        return thread.submit(asyncio.run, work).result()
