"""One conversation at a time: calls, callbacks, e-mails, and offers that nobody takes."""

from collections.abc import Iterator
from random import Random
from typing import Protocol

from genesys_emulator.simulation.agent_state import Contact, Desk
from genesys_emulator.simulation.conversations import Segment, Session
from genesys_emulator.simulation.organization import Queue
from genesys_emulator.simulation.randomness import between, dialed, one_of, spoken, wrapped_up
from genesys_emulator.wire.timestamps import MINUTE, SECOND

CONSULTED, TRANSFERRED, MISFILED, ANSWERED_OUTBOUND = 0.06, 0.04, 0.01, 0.67
ACW_OF_NOBODY, NOT_POSTED = 0.25, 4 * SECOND
"""Some who never answered are sent to wrap up all the same; not all of that is posted."""

Mark = tuple[str, int]


class Floor(Protocol):
    """What of `floor.Floor` those who work on it need."""

    dice: Random
    now: int

    def queued(self, contact: Contact, queue: Queue) -> None: ...
    def offered(self, contact: Contact, queue: Queue, *, again: bool) -> None: ...
    def colleague(self) -> Desk | None: ...
    def occupied(self, desk: Desk, until: int, routing: str = ...) -> None: ...
    def released(self, desk: Desk) -> None: ...


def missed(floor: Floor, desk: Desk, contact: Contact, queue: Queue) -> Iterator[int]:
    """Nobody takes it here. It is offered to others, and to this agent nothing for a while."""
    dice, offered = floor.dice, floor.now
    given_up = offered + between(dice, 8 * SECOND, 45 * SECOND)
    segments, unposted = [Segment("alert", offered, given_up, queue.id)], 0
    if dice.random() < ACW_OF_NOBODY:
        wrapped = given_up + between(dice, 10 * SECOND, 20 * SECOND)
        segments.append(Segment("wrapup", given_up, wrapped, queue.id))
        unposted = NOT_POSTED
    yield given_up
    desk.works(floor.now, "NOT_RESPONDING")
    session = contact.session(segments, ended="timeout", wrapped="timeout", unposted=unposted)
    contact.handled(desk.agent, "agent", session)
    floor.offered(contact, queue, again=True)
    yield given_up + between(dice, 20 * SECOND, 4 * MINUTE)
    floor.released(desk)


def call(floor: Floor, desk: Desk, contact: Contact, queue: Queue) -> Iterator[int]:
    """A call, or an e-mail: colleagues may be asked, or be given it."""
    dice, offered = floor.dice, floor.now
    answered = offered + between(dice, SECOND, 18 * SECOND)
    talk, ended = spoken(dice, answered, queue.id, contact.media), "peer"
    marks: list[Mark] = []
    contact.waited(answered, "transfer")
    if contact.media == "voice" and len(talk) == 1 and dice.random() < CONSULTED:
        yield (answered + talk[0].end) // 2
        if colleague := floor.colleague():
            talk, ended, marks = _consulted(floor, colleague, contact, queue, talk[0])
    over = talk[-1].end
    others = [each for each in desk.agent.queues if contact.media in each.media and each != queue]
    if ended == "peer" and others and dice.random() < TRANSFERRED:
        ended = "transfer"
        marks = [*marks, *_transferred("nBlindTransferred", over)]
    wrapped, work = wrapped_up(dice, over, queue.id)
    if work and dice.random() < MISFILED:  # taken for one queue, closed for another
        work = [work[0]._replace(queue_id=desk.agent.queues[-1].id)]
    segments = [Segment("alert", offered, answered, queue.id), *talk, *work]
    session = contact.session(
        segments, ended=ended, wrapped=wrapped, marks=tuple(marks), since=contact.since
    )
    contact.handled(desk.agent, "agent", session)
    if ended == "transfer":
        yield over
        floor.queued(contact, one_of(dice, others))
    yield segments[-1].end
    floor.released(desk)


def _consulted(
    floor: Floor, colleague: Desk, contact: Contact, queue: Queue, talk: Segment
) -> tuple[list[Segment], str, list[Mark]]:
    """A colleague is asked, from now on: who helps, takes over, or joins in.

    The talk of who asked, how it ended for them, and what counts. While they
    ask, their talk with the customer goes on, as the real API has it.
    """
    dice, asked = floor.dice, floor.now
    joined = asked + between(dice, 2 * SECOND, 12 * SECOND)
    agreed = joined + between(dice, 15 * SECOND, 2 * MINUTE)
    rest = Segment("interact", agreed, max(talk.end, agreed + 20 * SECOND), queue.id)
    theirs = [Segment("alert", asked, joined, ""), Segment("interact", joined, agreed, "")]
    own, ended, wrapped = [talk._replace(end=agreed)], "peer", ""
    marks = [("nConsult", asked)]
    outcome = dice.random()
    if outcome < 0.4:
        own = [talk._replace(end=rest.end)]
    else:
        if outcome < 0.75:
            ended = "consultTransfer"
            marks += _transferred("nConsultTransferred", agreed)
        else:
            rest = rest._replace(conference=True)
            own.append(rest)
        wrapped, work = wrapped_up(dice, rest.end, queue.id)
        theirs += [rest, *work]
    contact.handled(colleague.agent, "agent", contact.session(theirs, wrapped=wrapped))
    floor.occupied(colleague, theirs[-1].end)
    return own, ended, marks


def callback(floor: Floor, desk: Desk, contact: Contact, queue: Queue) -> Iterator[int]:
    """The callback and the call that it leads to: handled twice over, as in the real API."""
    dice, offered = floor.dice, floor.now
    answered = offered + between(dice, SECOND, 18 * SECOND)
    line = dialed(dice, answered + between(dice, SECOND, MINUTE), queue.id)
    line += spoken(dice, line[-1].end, queue.id, "callback")
    wrapped, work = wrapped_up(dice, line[-1].end, queue.id)
    segments = [
        Segment("alert", offered, answered, queue.id),
        Segment("interact", answered, line[-1].end, queue.id),
        *work,
    ]
    contact.waited(answered, "transfer")
    contact.handled(
        desk.agent,
        "agent",
        contact.session(segments, wrapped=wrapped, since=contact.since),
        Session("voice", "outbound", tuple(line)),
    )
    yield segments[-1].end
    floor.released(desk)


def outbound(floor: Floor, desk: Desk, contact: Contact, queue: Queue) -> None:
    """A call on behalf of a queue. One in three is not answered, and is handled even so."""
    dice = floor.dice
    segments = dialed(dice, floor.now, queue.id)
    marks = (("nOutbound", segments[0].end),)
    if dice.random() < ANSWERED_OUTBOUND:
        segments += spoken(dice, segments[-1].end, queue.id, "voice")
    wrapped, work = wrapped_up(dice, segments[-1].end, queue.id)
    session = contact.session([*segments, *work], wrapped=wrapped, marks=marks)
    contact.handled(desk.agent, "agent", session)
    floor.occupied(desk, session.segments[-1].end)


def own(floor: Floor, contact: Contact) -> None:
    """A call of an agent's own, to a desk or from it, outside of queues."""
    desk = floor.colleague()
    if desk is None:
        return
    answered = floor.now + between(floor.dice, SECOND, 12 * SECOND)
    segments = (
        dialed(floor.dice, floor.now, "")
        if contact.direction == "outbound"
        else [Segment("alert", floor.now, answered, "")]
    )
    segments += spoken(floor.dice, segments[-1].end, "", "voice")
    contact.handled(desk.agent, "user", contact.session(segments))
    floor.occupied(desk, segments[-1].end, "COMMUNICATING")


def _transferred(how: str, at: int) -> list[Mark]:
    return [("nTransferred", at), (how, at)]
