"""The Python door: the same rows as the command line, as Arrow tables."""

import asyncio
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, TypeVar

import pyarrow as pa

from halfhour import reports, when
from halfhour.errors import ConfigError, near_miss
from halfhour.fetch import fetch
from halfhour.plan import Question
from halfhour.settings import Settings
from halfhour.settings import load as load_settings
from halfhour.vocabulary import By

T = TypeVar("T")

__all__ = ["load_settings", "report"]


def report(
    *,
    start: str | datetime | None = None,
    end: str | datetime | None = None,
    last: str | None = None,
    queues: Sequence[str] = (),
    agents: Sequence[str] = (),
    zone: str = "UTC",
    by: str = "interval",
    settings: Settings | None = None,
) -> pa.Table:
    """What Genesys Cloud posted for each agent, by half-hour or over the whole range.

    *start* and *end* are half-open, on half-hours, read in *zone* where they
    carry no offset; *last* is such as ``"24h"`` or ``"7d"`` and is the 24 full
    hours before now if nothing is given. *queues* and *agents* are names or
    ids. Without *settings* they are loaded from the environment and the
    settings file, as on the command line (`load_settings`).

    ``by="interval"``: one row per half-hour and agent that anything was posted
    for, sorted by interval, name, id. Columns: `interval_start` and
    `interval_end` (timestamp[ms] in *zone*), `agent_id`, `agent_name`, then
    `handle_time_sec`, `acw_time_sec`, `hold_time_sec` and more `_time_sec`
    (float64 seconds, exact to the millisecond), `_count` (int64),
    `exceeds_interval` (bool) and `basis`, which is always "posted": a value
    lies whole in the half-hour in which it was completed, so a half-hour can
    hold more than 1,800 seconds.

    ``by="agent"``: one row per agent with the totals, the means per interval
    that anything was posted in, AHT (`aht_sec`), and `acw_share_ratio` and
    `hold_share_ratio` of handle time; null where there is nothing to divide by.

    Raises ConfigError, AuthError, ApiError, Unreachable or UnexpectedAnswer
    (`halfhour.errors`), each with a message that says what to do.
    """
    if by not in set(By):
        raise ConfigError(f"by={by!r}: known are {', '.join(By)}{near_miss(by, By)}")
    question = ask(start=start, end=end, last=last, queues=queues, agents=agents, zone=zone, by=by)
    fetched = _run(fetch(settings or load_settings(), question))
    return reports.report(question, posted=fetched.posted, agents=fetched.agents)


def ask(
    *,
    start: str | datetime | None,
    end: str | datetime | None,
    last: str | None,
    queues: Sequence[str],
    agents: Sequence[str],
    zone: str,
    by: str,
) -> Question:
    """The question that those words ask at this moment. Raises ConfigError."""
    local = when.zone(zone)
    interval = when.asked(
        start=start.isoformat() if isinstance(start, datetime) else start,
        end=end.isoformat() if isinstance(end, datetime) else end,
        last=last,
        local=local,
        now=datetime.now(UTC),
    )
    return Question(interval, local, By(by), tuple(queues), tuple(agents))


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:  # a notebook has a loop of its own running
        return thread.submit(asyncio.run, work).result()
