"""Conversations handled one at a time: calls, callbacks, e-mails, and unanswered offers."""

from collections.abc import Iterator
from random import Random
from typing import Protocol

from msgspec.structs import replace

from genesys_emulator.simulation.agent_state import AgentState, Contact
from genesys_emulator.simulation.conversations import Mark, Segment, Session
from genesys_emulator.simulation.organization import Queue
from genesys_emulator.simulation.randomness import (
    random_between,
    random_choice,
    random_dialing,
    random_talk,
    random_wrap_up,
)
from genesys_emulator.wire.timestamps import MINUTE, SECOND

CONSULTED, TRANSFERRED, MISFILED, ANSWERED_OUTBOUND = 0.06, 0.04, 0.01, 0.67
ACW_OF_NOBODY, NOT_POSTED = 0.25, 4 * SECOND
"""Share of unanswered offers that have after-call work, and the part of it that is not posted."""


class Simulation(Protocol):
    """The part of `team_day.TeamSimulation` that calls need."""

    rng: Random
    now: int

    def enqueue_contact(self, contact: Contact, queue: Queue) -> None: ...
    def offer_contact(self, contact: Contact, queue: Queue, *, again: bool) -> None: ...
    def find_colleague(self) -> AgentState | None: ...
    def occupy_agent(self, state: AgentState, until: int, routing: str = ...) -> None: ...
    def release_agent(self, state: AgentState) -> None: ...


def miss_offer(
    simulation: Simulation, state: AgentState, contact: Contact, queue: Queue
) -> Iterator[int]:
    """Let the offer time out; offer it to others, and nothing to this agent for a while."""
    rng, offered = simulation.rng, simulation.now
    given_up = offered + random_between(rng, 8 * SECOND, 45 * SECOND)
    segments, unposted = [Segment("alert", offered, given_up, queue.id)], 0
    if rng.random() < ACW_OF_NOBODY:
        wrapped = given_up + random_between(rng, 10 * SECOND, 20 * SECOND)
        segments.append(Segment("wrapup", given_up, wrapped, queue.id))
        unposted = NOT_POSTED
    yield given_up
    state.start_work(simulation.now, "NOT_RESPONDING")
    session = contact.make_session(segments, ended="timeout", wrapped="timeout", unposted=unposted)
    contact.add_handling(state.agent, "agent", session)
    simulation.offer_contact(contact, queue, again=True)
    yield given_up + random_between(rng, 20 * SECOND, 4 * MINUTE)
    simulation.release_agent(state)


def handle_call(
    simulation: Simulation, state: AgentState, contact: Contact, queue: Queue
) -> Iterator[int]:
    """Handle a call or an e-mail, with a consult or a transfer now and then."""
    rng, offered = simulation.rng, simulation.now
    answered = offered + random_between(rng, SECOND, 18 * SECOND)
    talk, ended = random_talk(rng, answered, queue.id, contact.media), "peer"
    marks: list[Mark] = []
    contact.end_wait(answered, "transfer")
    if contact.media == "voice" and len(talk) == 1 and rng.random() < CONSULTED:
        yield (answered + talk[0].end) // 2
        if colleague := simulation.find_colleague():
            talk, ended, marks = _consult_colleague(simulation, colleague, contact, queue, talk[0])
    over = talk[-1].end
    others = [
        other for other in state.agent.queues if other is not queue and contact.media in other.media
    ]
    if ended == "peer" and others and rng.random() < TRANSFERRED:
        ended = "transfer"
        marks = [*marks, *_transfer_marks("nBlindTransferred", over)]
    wrapped, work = random_wrap_up(rng, over, queue.id)
    if work and rng.random() < MISFILED:  # answered for one queue, wrapped up for another
        work = [replace(work[0], queue_id=state.agent.queues[-1].id)]
    segments = [Segment("alert", offered, answered, queue.id), *talk, *work]
    session = contact.make_session(
        segments, ended=ended, wrapped=wrapped, marks=tuple(marks), since=contact.since
    )
    contact.add_handling(state.agent, "agent", session)
    if ended == "transfer":
        yield over
        simulation.enqueue_contact(contact, random_choice(rng, others))
    yield segments[-1].end
    simulation.release_agent(state)


def _consult_colleague(
    simulation: Simulation, colleague: AgentState, contact: Contact, queue: Queue, talk: Segment
) -> tuple[list[Segment], str, list[Mark]]:
    """Consult a colleague, who helps, takes over, or joins a conference.

    Return the talk segments of the agent who asked, the disconnect type of
    that session, and its counters. As in the real API, the talk with the
    customer goes on during the consult.
    """
    rng, asked = simulation.rng, simulation.now
    joined = asked + random_between(rng, 2 * SECOND, 12 * SECOND)
    agreed = joined + random_between(rng, 15 * SECOND, 2 * MINUTE)
    rest = Segment("interact", agreed, max(talk.end, agreed + 20 * SECOND), queue.id)
    theirs = [Segment("alert", asked, joined, ""), Segment("interact", joined, agreed, "")]
    own, ended, wrapped = [replace(talk, end=agreed)], "peer", ""
    marks = [("nConsult", asked)]
    outcome = rng.random()
    if outcome < 0.4:
        own = [replace(talk, end=rest.end)]
    else:
        if outcome < 0.75:
            ended = "consultTransfer"
            marks += _transfer_marks("nConsultTransferred", agreed)
        else:
            rest = replace(rest, conference=True)
            own.append(rest)
        wrapped, work = random_wrap_up(rng, rest.end, queue.id)
        theirs += [rest, *work]
    contact.add_handling(colleague.agent, "agent", contact.make_session(theirs, wrapped=wrapped))
    simulation.occupy_agent(colleague, theirs[-1].end)
    return own, ended, marks


def handle_callback(
    simulation: Simulation, state: AgentState, contact: Contact, queue: Queue
) -> Iterator[int]:
    """Handle a callback and the call it leads to; as in the real API, both count as handled."""
    rng, offered = simulation.rng, simulation.now
    answered = offered + random_between(rng, SECOND, 18 * SECOND)
    call_segments = random_dialing(rng, answered + random_between(rng, SECOND, MINUTE), queue.id)
    call_segments += random_talk(rng, call_segments[-1].end, queue.id, "callback")
    wrapped, work = random_wrap_up(rng, call_segments[-1].end, queue.id)
    segments = [
        Segment("alert", offered, answered, queue.id),
        Segment("interact", answered, call_segments[-1].end, queue.id),
        *work,
    ]
    contact.end_wait(answered, "transfer")
    contact.add_handling(
        state.agent,
        "agent",
        contact.make_session(segments, wrapped=wrapped, since=contact.since),
        Session("voice", "outbound", tuple(call_segments)),
    )
    yield segments[-1].end
    simulation.release_agent(state)


def call_out(simulation: Simulation, state: AgentState, contact: Contact, queue: Queue) -> None:
    """Call out on behalf of a queue; one call in three is not answered, yet counts as handled."""
    rng = simulation.rng
    segments = random_dialing(rng, simulation.now, queue.id)
    marks = (("nOutbound", segments[0].end),)
    if rng.random() < ANSWERED_OUTBOUND:
        segments += random_talk(rng, segments[-1].end, queue.id, "voice")
    wrapped, work = random_wrap_up(rng, segments[-1].end, queue.id)
    session = contact.make_session([*segments, *work], wrapped=wrapped, marks=marks)
    contact.add_handling(state.agent, "agent", session)
    simulation.occupy_agent(state, session.segments[-1].end)


def make_private_call(simulation: Simulation, contact: Contact) -> None:
    """Make or take an agent's private call, outside of queues."""
    state = simulation.find_colleague()
    if state is None:
        return
    answered = simulation.now + random_between(simulation.rng, SECOND, 12 * SECOND)
    segments = (
        random_dialing(simulation.rng, simulation.now, "")
        if contact.direction == "outbound"
        else [Segment("alert", simulation.now, answered, "")]
    )
    segments += random_talk(simulation.rng, segments[-1].end, "", "voice")
    contact.add_handling(state.agent, "user", contact.make_session(segments))
    simulation.occupy_agent(state, segments[-1].end, "COMMUNICATING")


def _transfer_marks(how: str, at: int) -> list[Mark]:
    return [("nTransferred", at), (how, at)]
