"""The conversations of an agent on a date, from the seed, the agent and the date alone.

Whatever the clock says and whatever is asked, a day is the same, on every
machine: the dice are Python's own, and only sums and products are made of them.
"""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from random import Random

from genesys_emulator.conversations import Conversation, Participant, Segment, Session
from genesys_emulator.instants import MINUTE, SECOND
from genesys_emulator.org import Agent, Queue
from genesys_emulator.shifts import on_duty

LIVE = {
    "voice": (45 * SECOND, 25 * MINUTE),
    "callback": (60 * SECOND, 20 * MINUTE),
    "chat": (3 * MINUTE, 30 * MINUTE),
    "message": (2 * MINUTE, 35 * MINUTE),
    "email": (3 * MINUTE, 30 * MINUTE),
}
"""Shortest, and most that is added to it: what is usual is nearer the shortest."""

NON_ACD, UNANSWERED, OUTBOUND, LONG = 0.05, 0.06, 0.3, 0.02


def conversations(seed: int, agent: Agent, day: date) -> Iterator[Conversation]:
    """Those whose work starts in the shift of *day*, one after the other.

    The last ends hours after the date does, if the shift does.
    """
    dice = Random(f"{seed}/{agent.id}/{day}")
    number = 0
    free = 0
    for start, end in on_duty(agent, day, dice):
        at = max(start, free) + between(dice, 0, 3 * MINUTE)
        while at < end:
            conversation, free = _contact(dice, number, agent, at)
            yield conversation
            number += 1
            at = free + between(dice, 2 * SECOND, 14 * MINUTE)


def between(dice: Random, least: int, most: int) -> int:
    """A whole number in [least, most], more often a small one."""
    return least + int((most - least) * dice.random() * dice.random())


def _contact(dice: Random, number: int, agent: Agent, at: int) -> tuple[Conversation, int]:
    """A conversation that reaches the agent at *at*, and when the agent is free again."""
    sort = dice.random()
    if sort < NON_ACD or not agent.queues:
        participants = _private_call(dice, agent, at)
    else:
        queue = agent.queues[int(dice.random() * len(agent.queues))]
        media = queue.media[int(dice.random() * len(queue.media))]
        if sort < NON_ACD + UNANSWERED:
            participants = _missed(dice, agent, at, queue, media)
        elif queue.outbound and sort > 1 - OUTBOUND:
            participants = _called(dice, agent, at, queue)
        elif media == "callback":
            participants = _callback(dice, agent, at, queue)
        else:
            participants = _served(dice, agent, at, queue, media)
    of_agent = [p for p in participants if p.user_id]
    free = max(s.segments[-1].end for p in of_agent for s in p.sessions)
    return Conversation(number, _division_ids(agent, participants), participants), free


def _division_ids(agent: Agent, participants: tuple[Participant, ...]) -> tuple[str, ...]:
    queue_id = participants[-1].sessions[0].segments[0].queue_id
    divisions = [q.division for q in agent.queues if q.id == queue_id] + [agent.division]
    return tuple(dict.fromkeys(division.id for division in divisions if division))


def _served(
    dice: Random, agent: Agent, at: int, queue: Queue, media: str
) -> tuple[Participant, ...]:
    answered = at + between(dice, SECOND, 18 * SECOND)
    segments = [Segment("alert", at, answered, queue.id)]
    segments += _live(dice, answered, queue.id, media)
    ended = segments[-1].end
    segments += _wrapup(dice, ended, queue.id)
    if dice.random() < 0.01 and len(agent.queues) > 1:  # taken for one queue, closed for another
        segments[-1] = segments[-1]._replace(queue_id=agent.queues[-1].id)
    waiting = at - between(dice, 0, 4 * MINUTE)
    return (
        _customer(media, "inbound", waiting, ended, queue.id),
        _waiting(media, "inbound", waiting, answered, queue.id),
        _agent(agent, Session(media, "inbound", tuple(segments), _ended(dice))),
    )


def _missed(
    dice: Random, agent: Agent, at: int, queue: Queue, media: str
) -> tuple[Participant, ...]:
    """An offer that nobody takes; now and then the agent is sent to wrap it up all the same."""
    given_up = at + between(dice, 8 * SECOND, 45 * SECOND)
    segments = [Segment("alert", at, given_up, queue.id)]
    if dice.random() < 0.25:
        wrapped = given_up + between(dice, 10 * SECOND, MINUTE)
        segments.append(Segment("wrapup", given_up, wrapped, queue.id))
    waiting = at - between(dice, 0, 4 * MINUTE)
    hung_up = given_up + between(dice, SECOND, MINUTE)
    return (
        _customer(media, "inbound", waiting, hung_up, queue.id),
        _waiting(media, "inbound", waiting, hung_up, queue.id, ended="client"),
        _agent(agent, Session(media, "inbound", tuple(segments), "timeout")),
    )


def _called(dice: Random, agent: Agent, at: int, queue: Queue) -> tuple[Participant, ...]:
    """A call on behalf of a queue. One in three is not answered, and is handled even so."""
    segments = _dialed(dice, at, queue.id)
    if dice.random() < 0.67:
        segments += _live(dice, segments[-1].end, queue.id, "voice")
    ended = segments[-1].end
    segments += _wrapup(dice, ended, queue.id)
    return (
        _customer("voice", "outbound", at, ended, queue.id),
        _agent(agent, Session("voice", "outbound", tuple(segments))),
    )


def _private_call(dice: Random, agent: Agent, at: int) -> tuple[Participant, ...]:
    segments = _dialed(dice, at, "")
    segments += _live(dice, segments[-1].end, "", "voice")
    return (
        _customer("voice", "outbound", at, segments[-1].end, ""),
        Participant("user", agent.id, (Session("voice", "outbound", tuple(segments)),)),
    )


def _callback(dice: Random, agent: Agent, at: int, queue: Queue) -> tuple[Participant, ...]:
    """The callback and the call that it leads to: handled twice over, as in the real API."""
    answered = at + between(dice, SECOND, 18 * SECOND)
    call = _dialed(dice, answered + between(dice, SECOND, MINUTE), queue.id)
    call += _live(dice, call[-1].end, queue.id, "callback")
    ended = call[-1].end
    segments = [
        Segment("alert", at, answered, queue.id),
        Segment("interact", answered, ended, queue.id),
        *_wrapup(dice, ended, queue.id),
    ]
    waiting = at - between(dice, MINUTE, 40 * MINUTE)
    return (
        _customer("callback", "outbound", waiting, ended, queue.id),
        _waiting("callback", "outbound", waiting, answered, queue.id),
        _agent(
            agent,
            Session("callback", "outbound", tuple(segments)),
            Session("voice", "outbound", tuple(call)),
        ),
    )


def _live(dice: Random, at: int, queue_id: str, media: str) -> list[Segment]:
    """Talk, with holds in it now and then; some hang up while they are on hold."""
    least, most = LIVE[media]
    talk = between(dice, least, most)
    if dice.random() < LONG:
        talk += between(dice, 45 * MINUTE, 90 * MINUTE)
    holds = int(dice.random() * 4) if dice.random() < 0.35 else 0
    if not holds:
        return [Segment("interact", at, at + talk, queue_id)]
    cuts = [0, *sorted(1 + int(dice.random() * (talk - 1)) for _ in range(holds)), talk]
    segments = []
    for since, until in pairwise(cuts):
        segments.append(Segment("interact", at, at + max(until - since, 1), queue_id))
        at = segments[-1].end + between(dice, 4 * SECOND, 5 * MINUTE)
        segments.append(Segment("hold", segments[-1].end, at, queue_id))
    return segments if dice.random() < 0.1 else segments[:-1]


def _wrapup(dice: Random, at: int, queue_id: str) -> list[Segment]:
    """After-call work, which one in five skips."""
    if dice.random() < 0.2:
        return []
    return [Segment("wrapup", at, at + between(dice, 3 * SECOND, 5 * MINUTE), queue_id)]


def _dialed(dice: Random, at: int, queue_id: str) -> list[Segment]:
    connected = at + between(dice, SECOND // 2, 8 * SECOND)
    answered = connected + between(dice, SECOND // 4, 40 * SECOND)
    return [
        Segment("contacting", at, connected, queue_id),
        Segment("dialing", connected, answered, queue_id),
    ]


def _ended(dice: Random) -> str:
    return "transfer" if dice.random() < 0.04 else "peer"


def _agent(agent: Agent, *sessions: Session) -> Participant:
    return Participant("agent", agent.id, sessions)


def _customer(media: str, direction: str, start: int, end: int, queue_id: str) -> Participant:
    segment = Segment("interact", start, end, queue_id)
    return Participant("customer", "", (Session(media, direction, (segment,), "client"),))


def _waiting(
    media: str, direction: str, start: int, end: int, queue_id: str, ended: str = "transfer"
) -> Participant:
    segment = Segment("interact", start, end, queue_id)
    return Participant("acd", "", (Session(media, direction, (segment,), ended),))
