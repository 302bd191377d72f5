"""Several conversations at once: attention goes from one to the next in turns."""

from collections.abc import Iterator
from random import Random
from typing import Protocol

from genesys_emulator.simulation.agent_state import Chat, Contact, Desk
from genesys_emulator.simulation.conversations import Segment
from genesys_emulator.simulation.organization import Queue
from genesys_emulator.simulation.randomness import between, effort, wrapped_up
from genesys_emulator.wire.timestamps import SECOND


class Floor(Protocol):
    """What of `floor.Floor` those who work on it need."""

    dice: Random
    now: int

    def pull(self, desk: Desk) -> None: ...
    def released(self, desk: Desk) -> None: ...


def chats(floor: Floor, desk: Desk, contact: Contact, queue: Queue) -> Iterator[int]:
    """The first of them, and those that come while it lasts. All but one are on hold."""
    dice, offered = floor.dice, floor.now
    yield offered + between(dice, SECOND, 18 * SECOND)
    _picked_up(floor, desk, contact, queue, offered)
    while desk.chats:
        chat = desk.chats[0]
        turn = min(chat.left, between(dice, 20 * SECOND, 90 * SECOND))
        yield floor.now + turn
        chat.left -= turn
        desk.chats.popleft()
        if chat.left:
            desk.chats.append(chat)
        else:
            yield _closed(floor, desk, chat)
        if desk.ringing:
            _picked_up(floor, desk, *desk.ringing)
            desk.ringing = None
        for each in desk.chats:
            each.turn(floor.now, "interact" if each is desk.chats[0] else "hold")
        if desk.chats:
            floor.pull(desk)
    floor.released(desk)


def _picked_up(floor: Floor, desk: Desk, contact: Contact, queue: Queue, offered: int) -> None:
    contact.waited(floor.now, "transfer")
    alert = Segment("alert", offered, floor.now, queue.id)
    left = effort(floor.dice, contact.media)
    desk.chats.appendleft(Chat(contact, queue, left, floor.now, [alert]))


def _closed(floor: Floor, desk: Desk, chat: Chat) -> int:
    """It is over; when after-call work is, too."""
    contact = chat.contact
    chat.until(floor.now)
    wrapped, work = wrapped_up(floor.dice, floor.now, chat.queue.id)
    segments = [*chat.segments, *work]
    session = contact.session(segments, ended="client", wrapped=wrapped, since=contact.since)
    contact.handled(desk.agent, "agent", session)
    return segments[-1].end
