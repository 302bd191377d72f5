"""What an agent did on a day, from the seed, the agent and the date alone.

So any day is made when it is asked for, and is the same whatever the clock
says. Only sums and products of floats are used, which are exact to the bit
everywhere.
"""

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime

from genesys_emulator import emission
from genesys_emulator.model import Conversation, Participant, Segment, Session
from genesys_emulator.org import Agent, Queue

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

Done = tuple[tuple[Participant, ...], int]
"""Who took part, and when the agent was free again."""


def day(seed: int, agent: Agent, on: date) -> Iterator[Conversation]:
    """The conversations of *agent*'s shift that began on the local day *on*, in order."""
    chance = random.Random(f"{seed}/{agent.id}/{on.isoformat()}")
    if on.weekday() >= 5 and chance.random() < 0.4:
        return
    midnight = int(datetime(on.year, on.month, on.day, tzinfo=UTC).timestamp()) * SECOND
    at = midnight - agent.hours_from_utc * HOUR + chance.randrange(7 * HOUR, 11 * HOUR)
    end, meal = at + 8 * HOUR, at + chance.randrange(3 * HOUR, 5 * HOUR)
    while (at := at + _between(chance, 10 * SECOND, 12 * MINUTE)) < end:
        if at > meal:
            at, meal = at + 40 * MINUTE, end
        conversation_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        participants, at = _contact_of(chance, agent, at)
        yield Conversation(conversation_id, participants)


def _contact_of(chance: random.Random, agent: Agent, at: int) -> Done:
    kind, queue = chance.random(), chance.choice(agent.queues)
    if kind < 0.05:
        return _own_call(chance, agent, at)
    if kind < 0.10:
        return _unanswered(chance, agent, queue, at)
    if kind < 0.16 and queue.media_type == "voice":
        return _outbound(chance, agent, queue, at)
    return _inbound(chance, agent, queue, at)


def _inbound(chance: random.Random, agent: Agent, queue: Queue, at: int) -> Done:
    queued_at = at - _between(chance, SECOND, 3 * MINUTE)
    answered = at + _between(chance, 30, 12 * SECOND)
    segments = [Segment("alert", at, answered, queue.id), *_talk(chance, queue, answered)]
    segments += _wrapup(chance, queue, _end(segments))
    return _offered(agent, queue, segments, queued_at)


def _outbound(chance: random.Random, agent: Agent, queue: Queue, at: int) -> Done:
    """On behalf of a queue; every other time nobody answers, yet it is handled and wrapped up."""
    segments = _dialled(chance, at, queue.id)
    if chance.random() < 0.5:
        segments += _talk(chance, queue, _end(segments))
    segments += _wrapup(chance, queue, _end(segments))
    session = Session("voice", "outbound", tuple(segments), emission.metrics(segments))
    return (_agent(agent, session, "agent"),), _end(segments)


def _own_call(chance: random.Random, agent: Agent, at: int) -> Done:
    """A call that no queue knows of."""
    segments = _dialled(chance, at, None)
    start = _end(segments)
    segments.append(Segment("interact", start, start + _between(chance, SECOND, 6 * MINUTE)))
    session = Session("voice", "outbound", tuple(segments), emission.metrics(segments))
    return (_agent(agent, session, "user"),), _end(segments)


def _unanswered(chance: random.Random, agent: Agent, queue: Queue, at: int) -> Done:
    """An offer nobody took; now and then it has ACW all the same, as captured ones do."""
    rung_off = at + 8 * SECOND + chance.randrange(SECOND)
    segments = [Segment("alert", at, rung_off, queue.id)]
    if chance.random() < 0.3:
        segments.append(Segment("wrapup", rung_off, rung_off + 57 * SECOND, queue.id))
    return _offered(agent, queue, segments, at - _between(chance, SECOND, MINUTE))


def _talk(chance: random.Random, queue: Queue, at: int) -> list[Segment]:
    """Talk with holds between; one in fifty lasts for more than an hour, past many half-hours."""
    length = _between(chance, 20 * SECOND, 14 * MINUTE)
    if chance.random() < 0.02:
        length += HOUR
    segments = []
    for _ in range(chance.choice((0, 0, 0, 1, 1, 3))):
        talked = at + _between(chance, SECOND, length)
        held = talked + _between(chance, SECOND, 4 * MINUTE)
        segments += [
            Segment("interact", at, talked, queue.id),
            Segment("hold", talked, held, queue.id),
        ]
        at = held
    return [*segments, Segment("interact", at, at + length, queue.id)]


def _dialled(chance: random.Random, at: int, queue_id: str | None) -> list[Segment]:
    contacted = at + _between(chance, 200, 3 * SECOND)
    dialled = contacted + _between(chance, 200, 30 * SECOND)
    return [
        Segment("contacting", at, contacted, queue_id),
        Segment("dialing", contacted, dialled, queue_id),
    ]


def _wrapup(chance: random.Random, queue: Queue, at: int) -> list[Segment]:
    if chance.random() < 0.15:
        return []
    return [Segment("wrapup", at, at + _between(chance, 2 * SECOND, 3 * MINUTE), queue.id)]


def _offered(agent: Agent, queue: Queue, segments: list[Segment], queued_at: int) -> Done:
    """A contact that waited in *queue* until the first of *segments*."""
    offered_at = segments[0].start
    waited = Segment("interact", queued_at, offered_at, queue.id)
    acd = Session(queue.media_type, "inbound", (waited,), emission.queued(queued_at, offered_at))
    found = emission.metrics(segments, queued_at=queued_at)
    session = Session(queue.media_type, "inbound", tuple(segments), found)
    wait = Participant("acd", (acd,), name=queue.name, division_id=queue.division.id)
    return (wait, _agent(agent, session, "agent")), _end(segments)


def _agent(agent: Agent, session: Session, purpose: str) -> Participant:
    return Participant(purpose, (session,), user_id=agent.id, division_id=agent.division.id)


def _end(segments: list[Segment]) -> int:
    """When the last of *segments* ended; here all have."""
    end = segments[-1].end
    assert end is not None
    return end


def _between(chance: random.Random, least: int, most: int) -> int:
    """Short more often than long."""
    return least + int(chance.random() * chance.random() * (most - least))
