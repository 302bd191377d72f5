"""Conversations handled at the same time: an agent attends to them in turns."""

from collections.abc import Iterator
from random import Random
from typing import Protocol

from genesys_emulator.simulation.agent_state import AgentState, Chat, Contact
from genesys_emulator.simulation.conversations import Segment
from genesys_emulator.simulation.organization import Queue
from genesys_emulator.simulation.randomness import random_between, random_work_time, random_wrap_up
from genesys_emulator.wire.timestamps import SECOND


class Simulation(Protocol):
    """The part of `team_day.TeamSimulation` that chats need."""

    rng: Random
    now: int

    def offer_waiting(self, state: AgentState) -> None: ...
    def release_agent(self, state: AgentState) -> None: ...


def handle_chats(
    simulation: Simulation, state: AgentState, contact: Contact, queue: Queue
) -> Iterator[int]:
    """Handle a digital conversation and those that join it; all but one are on hold."""
    rng, offered = simulation.rng, simulation.now
    yield offered + random_between(rng, SECOND, 18 * SECOND)
    _pick_up(simulation, state, contact, queue, offered)
    while state.chats:
        chat = state.chats[0]
        turn = min(chat.left, random_between(rng, 20 * SECOND, 90 * SECOND))
        yield simulation.now + turn
        chat.left -= turn
        state.chats.popleft()
        if chat.left:
            state.chats.append(chat)
        else:
            yield _close_chat(simulation, state, chat)
        if state.pending_offer:
            _pick_up(simulation, state, *state.pending_offer)
            state.pending_offer = None
        if state.chats:
            current = state.chats[0]
            if current is not chat:
                if chat.left:
                    chat.switch_to(simulation.now, "hold")
                if current.kind == "hold":
                    current.switch_to(simulation.now, "interact")
            simulation.offer_waiting(state)
    simulation.release_agent(state)


def _pick_up(
    simulation: Simulation, state: AgentState, contact: Contact, queue: Queue, offered: int
) -> None:
    contact.end_wait(simulation.now, "transfer")
    alert = Segment("alert", offered, simulation.now, queue.id)
    left = random_work_time(simulation.rng, contact.media)
    state.chats.appendleft(Chat(contact, queue, left, simulation.now, [alert]))


def _close_chat(simulation: Simulation, state: AgentState, chat: Chat) -> int:
    """Close *chat* and return the end of its after-call work."""
    contact = chat.contact
    chat.close_segment(simulation.now)
    wrapped, work = random_wrap_up(simulation.rng, simulation.now, chat.queue.id)
    segments = [*chat.segments, *work]
    session = contact.make_session(segments, ended="client", wrapped=wrapped, since=contact.since)
    contact.add_handling(state.agent, "agent", session)
    return segments[-1].end
