"""Conversations longer than a day: e-mails parked until the next shift, messages left open.

Every agent who serves such a queue begins one every `DAYS_BETWEEN` days, at the
start of the shift, so that a day can be simulated without the days before it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from genesys_emulator.simulation.conversations import Conversation, Participant, Segment, Session
from genesys_emulator.simulation.organization import Agent, Queue, stable_id
from genesys_emulator.simulation.randomness import random_between, random_choice, random_wrap_up
from genesys_emulator.simulation.shifts import first_on_queue, next_workday
from genesys_emulator.wire.timestamps import DAY, HOUR, MINUTE, SECOND, utc_date

DAYS_BETWEEN = 9
LONGEST_WORK_DAYS = 6
"""Days within which all work on one lies; fewer than `DAYS_BETWEEN`, so there is one at a time."""

MOST_SHIFTS = 3
Stretch = tuple[int, int]


def long_conversation(agent: Agent, day: date) -> Conversation | None:
    """Return the long conversation that *agent* begins on *day*, if there is one."""
    start = (
        first_on_queue(agent, day)
        if (day.toordinal() + 7 * agent.index) % DAYS_BETWEEN == 0
        else None
    )
    served = _queue_and_media(agent)
    if start is None or served is None:
        return None
    queue, media = served
    rng = Random(f"thread/{agent.id}/{day}")
    came = start - random_between(rng, HOUR, 9 * HOUR)
    stretches = _work_stretches(agent, day, rng, most=MOST_SHIFTS if media == "email" else 1)
    answered = stretches[0][0] + random_between(rng, SECOND, 10 * SECOND)
    segments = [Segment("alert", stretches[0][0], answered, queue.id)]
    for since, until in stretches:
        if since > segments[-1].end:
            segments.append(Segment("parked", segments[-1].end, since, queue.id))
        segments.append(Segment("interact", max(since, answered), until, queue.id))
    done = segments[-1].end
    wrapped, work = random_wrap_up(rng, done, queue.id)
    closed = done if media == "email" else came + days_left_open(agent) * DAY
    divisions = dict.fromkeys(
        division.id for division in (queue.division, agent.division) if division
    )
    waiting = Segment("interact", came, answered, queue.id)
    customer = Segment("interact", came, closed, "")
    own = Session(media, "inbound", (*segments, *work), "peer", wrapped, came)
    return Conversation(
        stable_id("thread", agent.id, day),
        tuple(divisions),
        (
            Participant("customer", "", (Session(media, "inbound", (customer,), "inactivity"),)),
            Participant("acd", "", (Session(media, "inbound", (waiting,), "transfer"),)),
            Participant("agent", agent.id, (own,)),
        ),
        rng.random(),
    )


def owed_stretches(agent: Agent, day: date, opened: date) -> list[Stretch]:
    """Return the stretches of the shift of *day* that a long conversation takes, in ms."""
    start = first_on_queue(agent, day)
    if start is None:
        return []
    for begun in _date_range(max(opened, day - timedelta(days=LONGEST_WORK_DAYS - 1)), day):
        if conversation := long_conversation(agent, begun):
            segments = conversation.participants[-1].sessions[0].segments
            worked = [segment for segment in segments if segment.kind != "parked"]
            inside = [segment for segment in worked if start <= segment.start < start + HOUR]
            return [(inside[0].start, inside[-1].end)] if inside else []
    return []


def conversations_touching(
    agent: Agent, start: int, end: int, opened: date
) -> Iterator[Conversation]:
    """Yield those with activity in [start, end), and maybe more; none began before *opened*.

    A session that is only open is no activity.
    """
    first, last = utc_date(start), utc_date(end - 1)
    begun = _date_range(first - timedelta(days=LONGEST_WORK_DAYS), last + timedelta(days=1))
    left_open = timedelta(days=days_left_open(agent))
    closing = _date_range(
        first - left_open - timedelta(days=1), last - left_open + timedelta(days=1)
    )
    for day in sorted({*begun, *closing}):
        if day >= opened and (conversation := long_conversation(agent, day)):
            yield conversation


def days_left_open(agent: Agent) -> int:
    """Return how many days a message stays open after the last word."""
    return 20 + agent.index % 41


def _queue_and_media(agent: Agent) -> tuple[Queue, str] | None:
    for media in ("email", "message"):
        for queue in agent.queues:
            if media in queue.media:
                return queue, media
    return None


def _work_stretches(agent: Agent, day: date, rng: Random, most: int) -> list[Stretch]:
    """Return a stretch of work at the start of each shift that works on the conversation."""
    stretches: list[Stretch] = []
    last = day + timedelta(days=LONGEST_WORK_DAYS - 1)
    workday: date | None = day
    for _ in range(random_choice(rng, range(1, most + 1))):
        start = first_on_queue(agent, workday) if workday and workday <= last else None
        if workday is None or start is None:
            break
        stretches.append(
            (start + MINUTE, start + MINUTE + random_between(rng, 3 * MINUTE, 12 * MINUTE))
        )
        workday = next_workday(agent, workday)
    return stretches


def _date_range(first: date, last: date) -> Iterator[date]:
    for step in range((last - first).days + 1):
        yield first + timedelta(days=step)
