"""Conversations that outlast a day: e-mails put off until the next shift, messages left open.

Every agent who serves such a queue begins one every `EVERY` days, at the start
of the shift, so that a day can tell what it owes to days before it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from genesys_emulator.simulation.conversations import Conversation, Participant, Segment, Session
from genesys_emulator.simulation.organization import Agent, Queue, identifier
from genesys_emulator.simulation.randomness import between, one_of, wrapped_up
from genesys_emulator.simulation.shifts import next_shift, opens
from genesys_emulator.wire.timestamps import DAY, HOUR, MINUTE, SECOND, utc_date

EVERY = 9
LONGEST_WORK = 6
"""Days in which all of an agent's work on one lies. Less than `EVERY`: there is one at a time."""

MOST_SHIFTS = 3
Run = tuple[int, int]


def thread(agent: Agent, day: date) -> Conversation | None:
    """The one that *agent* begins on *day*."""
    start = opens(agent, day) if (day.toordinal() + 7 * agent.index) % EVERY == 0 else None
    found = _queue(agent)
    if start is None or found is None:
        return None
    queue, media = found
    dice = Random(f"thread/{agent.id}/{day}")
    came = start - between(dice, HOUR, 9 * HOUR)
    stints = _stints(agent, day, dice, most=MOST_SHIFTS if media == "email" else 1)
    answered = stints[0][0] + between(dice, SECOND, 10 * SECOND)
    segments = [Segment("alert", stints[0][0], answered, queue.id)]
    for since, until in stints:
        if since > segments[-1].end:
            segments.append(Segment("parked", segments[-1].end, since, queue.id))
        segments.append(Segment("interact", max(since, answered), until, queue.id))
    done = segments[-1].end
    wrapped, work = wrapped_up(dice, done, queue.id)
    closed = done if media == "email" else came + open_for(agent) * DAY
    divisions = dict.fromkeys(each.id for each in (queue.division, agent.division) if each)
    waiting = Segment("interact", came, answered, queue.id)
    customer = Segment("interact", came, closed, "")
    own = Session(media, "inbound", (*segments, *work), "peer", wrapped, came)
    return Conversation(
        identifier("thread", agent.id, day),
        tuple(divisions),
        (
            Participant("customer", "", (Session(media, "inbound", (customer,), "inactivity"),)),
            Participant("acd", "", (Session(media, "inbound", (waiting,), "transfer"),)),
            Participant("agent", agent.id, (own,)),
        ),
        dice.random(),
    )


def owed(agent: Agent, day: date, opened: date) -> list[Run]:
    """The stretches of the shift of *day* that go to such a conversation, in ms."""
    start = opens(agent, day)
    if start is None:
        return []
    for begun in _days(max(opened, day - timedelta(days=LONGEST_WORK - 1)), day):
        if found := thread(agent, begun):
            segments = found.participants[-1].sessions[0].segments
            worked = [each for each in segments if each.kind != "parked"]
            inside = [each for each in worked if start <= each.start < start + HOUR]
            return [(inside[0].start, inside[-1].end)] if inside else []
    return []


def touching(agent: Agent, start: int, end: int, opened: date) -> Iterator[Conversation]:
    """Those with anything but an open leg in [start, end), and maybe more; none before *opened*."""
    first, last = utc_date(start), utc_date(end - 1)
    begun = _days(first - timedelta(days=LONGEST_WORK), last + timedelta(days=1))
    left_open = timedelta(days=open_for(agent))
    closing = _days(first - left_open - timedelta(days=1), last - left_open + timedelta(days=1))
    for day in sorted({*begun, *closing}):
        if day >= opened and (found := thread(agent, day)):
            yield found


def open_for(agent: Agent) -> int:
    """How many days a message stays open after the last word."""
    return 20 + agent.index % 41


def _queue(agent: Agent) -> tuple[Queue, str] | None:
    for media in ("email", "message"):
        for queue in agent.queues:
            if media in queue.media:
                return queue, media
    return None


def _stints(agent: Agent, day: date, dice: Random, most: int) -> list[Run]:
    """A stretch at the start of each of the shifts in which it is worked on."""
    stints: list[Run] = []
    last = day + timedelta(days=LONGEST_WORK - 1)
    following: date | None = day
    for _ in range(one_of(dice, range(1, most + 1))):
        start = opens(agent, following) if following and following <= last else None
        if following is None or start is None:
            break
        stints.append((start + MINUTE, start + MINUTE + between(dice, 3 * MINUTE, 12 * MINUTE)))
        following = next_shift(agent, following)
    return stints


def _days(first: date, last: date) -> Iterator[date]:
    for step in range((last - first).days + 1):
        yield first + timedelta(days=step)
