"""The simulation: believable, the same every time, and posted by the rules."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_emulator.simulation.conversations import Conversation, Participant, Segment, Session
from genesys_emulator.simulation.long_conversations import (
    LONGEST_WORK_DAYS,
    conversations_touching,
    days_left_open,
    long_conversation,
)
from genesys_emulator.simulation.metric_events import (
    HANDLED,
    agent_session_events,
    conversation_events,
)
from genesys_emulator.simulation.organization import Agent, Team, make_organization
from genesys_emulator.simulation.shifts import first_on_queue, shift_steps, works_on
from genesys_emulator.simulation.source import SimulatedCentre
from genesys_emulator.simulation.status import statuses_between
from genesys_emulator.simulation.team_day import simulate_day
from genesys_emulator.wire.timestamps import DAY, HOUR, midnight_of, utc_date

CENTRE = make_organization(1, 20)
(TEAM,) = CENTRE.teams
OPENED = date(2026, 2, 2)
MONDAY = date(2026, 3, 2)
WEEK = [MONDAY + timedelta(days=step) for step in range(7)]
SERVED = SimulatedCentre(CENTRE, OPENED)

agents = st.sampled_from(CENTRE.agents)
dates = st.dates(date(2020, 1, 1), date(2030, 12, 31))
small_teams = st.builds(
    lambda seed, agents: make_organization(seed, agents).teams[0],
    st.integers(1, 50),
    st.integers(1, 6),
)


def a_day(team: Team, day: date) -> list[Conversation]:
    return list(simulate_day(team, day, day - timedelta(days=LONGEST_WORK_DAYS)).conversations)


@pytest.fixture(scope="module")
def week() -> list[Conversation]:
    played = [
        conversation
        for day in WEEK
        for conversation in simulate_day(TEAM, day, OPENED).conversations
    ]
    begun = [long_conversation(agent, day) for agent in TEAM.agents for day in WEEK]
    return played + [conversation for conversation in begun if conversation]


def sessions_of(conversations: list[Conversation]) -> list[tuple[Participant, Session]]:
    return [
        (participant, session)
        for conversation in conversations
        for participant in conversation.participants
        for session in participant.sessions
        if participant.user_id
    ]


def segments_of(conversation: Conversation) -> list[Segment]:
    return [g for p in conversation.participants for s in p.sessions for g in s.segments]


def live(session: Session) -> list[Segment]:
    return [segment for segment in session.segments if segment.kind != "wrapup"] or [
        *session.segments
    ]


def test_an_agent_does_not_depend_on_the_number_of_agents():
    assert make_organization(1, 30).agents[:20] == CENTRE.agents
    assert make_organization(2, 20).agents[0].id != CENTRE.agents[0].id


def test_two_people_share_a_name_two_have_left_and_one_is_in_no_list():
    names = [agent.name for agent in CENTRE.agents]

    assert len(names) - len(set(names)) == 1
    assert sorted(agent.state for agent in CENTRE.agents)[-2:] == ["deleted", "inactive"]
    assert sum(not agent.listed for agent in CENTRE.agents) == 1
    assert len({agent.id for agent in make_organization(1, 2000).agents}) == 2000


def test_everybody_is_in_one_team_and_there_are_three_zones():
    centre = make_organization(1, 50)

    assert [len(team.agents) for team in centre.teams] == [20, 20, 10]
    assert Counter(agent for team in centre.teams for agent in team.agents) == Counter(
        centre.agents
    )
    assert {agent.time_zone for agent in centre.agents} == {
        "Europe/London",
        "Europe/Warsaw",
        "America/Los_Angeles",
    }


@given(small_teams, dates)
def test_a_day_is_the_same_whenever_it_is_asked_for(team, day):
    assert a_day(team, day) == a_day(team, day)


def test_a_week_is_the_same_on_every_machine(week):
    body = hashlib.sha256(repr(week).encode()).hexdigest()

    assert CENTRE.agents[0].id == "935ccb97-0b88-4c63-bea0-53b618a59df4"
    assert (len(week), body[:16]) == (4088, "a2e5170c6900031f")


@given(small_teams, dates)
def test_a_day_of_a_team_lies_within_two_days(team, day):
    for conversation in a_day(team, day):
        for _, values in conversation_events(conversation):
            for _, at, _ in values:
                assert midnight_of(day) <= at < midnight_of(day) + 2 * DAY


@given(agents, dates)
def test_a_shift_follows_the_clock_where_the_agent_is(agent, day):
    steps = shift_steps(agent, day)

    assert bool(steps) == works_on(agent, day)
    assert all(before.end == after.start for before, after in pairwise(steps))
    assert sum(not works_on(agent, day + timedelta(days=step)) for step in range(7)) == 2
    if steps:
        assert midnight_of(day) <= steps[0].start
        assert 7 * HOUR < steps[-1].end - steps[0].start < 11 * HOUR


def test_agents_who_left_do_no_more_work():
    centre = make_organization(1, 12, left=MONDAY)
    gone = [agent for agent in centre.agents if agent.state != "active"]

    assert len(gone) == 2
    assert not any(works_on(agent, day) for agent in gone for day in WEEK)
    assert all(any(works_on(agent, day - timedelta(days=7)) for day in WEEK) for agent in gone)


Span = tuple[int, int]


def joined(spans: Iterable[Span]) -> list[Span]:
    """*spans* as one where they meet."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


@pytest.mark.parametrize("agent", CENTRE.agents[:8], ids=lambda agent: str(agent.index))
def test_statuses_follow_from_the_conversations(agent):
    start, end = midnight_of(MONDAY), midnight_of(MONDAY + timedelta(days=5))
    days = [MONDAY + timedelta(days=step) for step in range(-2, 6)]
    work = [
        conversation
        for day in days
        for conversation in simulate_day(TEAM, day, OPENED).conversations
    ]
    work += conversations_touching(agent, start, end, OPENED)
    busy = joined(
        (segment.start, segment.end)
        for participant, session in sessions_of(work)
        for segment in session.segments
        if participant.user_id == agent.id and segment.kind != "parked"
        if kinds(session) != {"alert", "wrapup"} or segment.kind == "alert"
    )
    shown = SERVED.status_changes(agent, start, end)
    working = joined(
        (status.start, status.end or end)
        for status in statuses_between(shown.routings, start, end, end)
        if status.word in ("INTERACTING", "COMMUNICATING")
    )

    assert working == [span for span in busy if span[1] > start and span[0] < end]
    assert len(working) > 30


@given(agents, dates)
def test_routing_is_off_queue_whenever_the_presence_is_not_on_queue(agent, day):
    start = midnight_of(day)
    shown = SimulatedCentre(CENTRE, day - timedelta(days=2)).status_changes(
        agent, start, start + DAY
    )
    present = list(statuses_between(shown.presences, start, start + DAY, start + DAY))

    def at(changes: Sequence[tuple[int, str]], moment: int) -> str:
        return [word for since, word in changes if since <= moment][-1]

    assert present[0].start <= start
    assert present[-1].end is None
    for since, word in shown.routings:
        assert (word == "OFF_QUEUE") == (at(shown.presences, since) != "ON_QUEUE")


def attention(conversations: list[Conversation], agent: Agent) -> list[Segment]:
    """Return the segments that take an agent's whole attention: no offer, hold or parked time."""
    return sorted(
        (
            segment
            for participant, session in sessions_of(conversations)
            for segment in session.segments
            if participant.user_id == agent.id and segment.kind in ("interact", "wrapup")
            if session.media != "callback"  # whose call is a session of its own
        ),
        key=lambda segment: segment.start,
    )


@given(small_teams, dates)
def test_an_agent_attends_to_one_thing_at_a_time(team, day):
    conversations = a_day(team, day)
    for agent in team.agents:
        for before, after in pairwise(attention(conversations, agent)):
            assert before.end <= after.start


def test_segments_follow_each_other_without_a_gap(week):
    for participant, session in sessions_of(week):
        assert all(segment.start < segment.end for segment in session.segments)
        if session.media == "callback" or participant.purpose == "agent":
            assert all(a.end == b.start for a, b in pairwise(session.segments))


def test_handle_time_is_the_sum_of_its_parts_in_every_session(week):
    for _, session in sessions_of(week):
        values = agent_session_events(session)
        sums = dict.fromkeys((*HANDLED, "tHandle", "tTalkComplete", "tHeldComplete"), 0)
        for metric, _, value in values:
            sums[metric] = sums.get(metric, 0) + value
        assert sums["tHandle"] == sum(sums[part] for part in HANDLED)
        assert sums["tTalkComplete"] == sums["tTalk"]
        assert sums["tHeldComplete"] == sums["tHeld"]


def kinds(session: Session) -> set[str]:
    return {segment.kind for segment in session.segments}


@pytest.mark.parametrize(
    ("oddity", "result"),
    [
        ("nobody answers", lambda p, s: kinds(s) == {"alert"}),
        ("ACW after no answer", lambda p, s: kinds(s) == {"alert", "wrapup"} and s.unposted),
        ("it ends on hold", lambda p, s: live(s)[-1].kind == "hold"),
        ("no ACW", lambda p, s: s.wrapped == "skipped" and "wrapup" not in kinds(s)),
        ("ACW that timed out", lambda p, s: s.wrapped == "timeout" and "interact" in kinds(s)),
        ("a call of one's own", lambda p, s: p.purpose == "user" and s.direction == "outbound"),
        ("a call to one's desk", lambda p, s: p.purpose == "user" and s.direction == "inbound"),
        ("a dial that fails", lambda p, s: live(s)[-1].kind == "dialing"),
        ("two queues", lambda p, s: len({g.queue_id for g in s.segments if g.queue_id}) == 2),
        ("a blind transfer", lambda p, s: s.ended == "transfer"),
        ("a consult transfer", lambda p, s: s.ended == "consultTransfer"),
        ("a conference", lambda p, s: any(g.conference for g in s.segments)),
        ("asked for advice", lambda p, s: p.purpose == "agent" and not s.segments[0].queue_id),
        ("over an hour", lambda p, s: s.segments[-1].end - s.segments[0].start > HOUR),
        ("a callback", lambda p, s: s.media == "callback"),
        ("an e-mail", lambda p, s: s.media == "email"),
        ("an e-mail over days", lambda p, s: "parked" in kinds(s)),
        ("attention elsewhere", lambda p, s: s.media == "message" and "hold" in kinds(s)),
    ],
)  # fmt: skip
def test_a_week_holds_every_case_that_makes_reports_hard(oddity, result, week):
    assert any(result(participant, session) for participant, session in sessions_of(week)), oddity


def test_some_callers_hang_up_some_are_transferred_and_some_return(week):
    served = Counter(
        len({p.user_id for p in conversation.participants} - {""}) for conversation in week
    )
    ended = Counter(
        p.sessions[0].ended
        for conversation in week
        for p in conversation.participants
        if p.purpose == "acd"
    )

    assert served[0] > 20  # abandoned, or closed unserved
    assert served[2] > 20
    assert ended["client"] < ended["transfer"] / 3


def test_digital_conversations_overlap_and_calls_do_not(week):
    def most_at_once(media: str) -> int:
        edges = sorted(
            edge
            for agent in CENTRE.agents
            for participant, session in sessions_of(week)
            if participant.user_id == agent.id and session.media == media
            for edge in (
                (agent.id, session.segments[0].end, 1),
                (agent.id, live(session)[-1].end, -1),
            )
        )
        most = now = 0
        for _, _, step in edges:
            now += step
            most = max(most, now)
        return most

    assert most_at_once("message") == 3
    assert most_at_once("voice") == 1


def test_more_contacts_arrive_by_day_than_by_night_and_on_mondays_than_on_sundays(week):
    comes = Counter(
        min(s.start for s in segments_of(conversation)) // HOUR % 24 for conversation in week
    )
    days = Counter(
        utc_date(min(s.start for s in segments_of(conversation))) for conversation in week
    )

    assert comes[9] > 3 * comes[3]
    assert days[MONDAY] > 1.5 * days[MONDAY + timedelta(days=6)]


def test_a_message_stays_open_for_weeks_after_the_last_word():
    agent = next(candidate for candidate in CENTRE.agents if touches_messages(candidate))
    begun = next(
        conversation
        for step in range(60)
        if (conversation := long_conversation(agent, MONDAY + timedelta(days=step)))
        and conversation.participants[-1].sessions[0].media == "message"
    )
    own, customer = begun.participants[-1].sessions[0], begun.participants[0].sessions[0]

    assert customer.segments[-1].end - customer.segments[0].start == days_left_open(agent) * DAY
    assert own.segments[-1].end - own.segments[0].start < HOUR
    closes = customer.segments[-1].end
    assert begun in list(conversations_touching(agent, closes - 1, closes + 1, OPENED))
    quiet = own.segments[-1].end + 10 * DAY
    assert begun not in list(conversations_touching(agent, quiet, quiet + 1, OPENED))


def touches_messages(agent: Agent) -> bool:
    media = [media for queue in agent.queues for media in queue.media]
    return "message" in media and "email" not in media


@given(agents, dates)
def test_a_long_conversation_is_worked_on_only_at_the_start_of_shifts(agent, day):
    begun = long_conversation(agent, day)
    if begun:
        for segment in begun.participants[-1].sessions[0].segments:
            if segment.kind != "parked":
                start = first_on_queue(agent, utc_date(segment.start)) or first_on_queue(
                    agent, utc_date(segment.start) - timedelta(days=1)
                )
                assert start
                assert start <= segment.start < segment.end < start + HOUR


def line(*spans: tuple[str, int, int], **of: Any) -> Session:
    segments = tuple(Segment(kind, start, end, "q") for kind, start, end in spans)
    return Session("voice", "inbound", segments, **of)


def posted(session: Session, purpose: str = "agent") -> set[tuple[str, int, int]]:
    own = Participant(purpose, "u", (session,))
    ((_, values),) = conversation_events(Conversation("c", ("d",), (own,), 0.5))
    return set(values)


def test_each_value_is_posted_where_it_is_complete():
    call = line(
        ("alert", 10, 15), ("interact", 15, 40), ("hold", 40, 45), ("interact", 45, 60),
        ("hold", 60, 70), ("wrapup", 70, 90), since=0, marks=(("nTransferred", 70),),
    )  # fmt: skip

    assert posted(call) == {
        ("tAlert", 15, 5),
        ("tAnswered", 15, 15),
        ("tTalk", 40, 25),
        ("tHeld", 45, 5),
        ("tTalk", 60, 15),
        ("tHeld", 70, 10),
        ("tTalkComplete", 60, 40),
        ("tHeldComplete", 70, 15),
        ("tAcw", 90, 20),
        ("tHandle", 90, 75),
        ("nTransferred", 70, 1),
    }


def test_parked_time_is_not_handle_time():
    letter = line(("interact", 0, 10), ("parked", 10, 500), ("interact", 500, 530))

    assert posted(letter) == {
        ("tTalk", 10, 10),
        ("tTalk", 530, 30),
        ("tTalkComplete", 530, 40),
        ("tPark", 500, 490),
        ("tParkComplete", 500, 490),
        ("tHandle", 530, 40),
    }


def test_after_call_work_of_unanswered_offers_is_posted_in_part():
    missed = line(("alert", 0, 10), ("wrapup", 10, 71), unposted=4)

    assert {("tAcw", 71, 57), ("tHandle", 71, 57)} < posted(missed)


@pytest.mark.parametrize(
    ("ended", "metric"), [("transfer", "tAcd"), ("client", "tAbandon"), ("timeout", "tFlowOut")]
)
def test_a_wait_is_posted_by_how_it_ended(ended, metric):
    assert posted(line(("interact", 5, 15), ended=ended), purpose="acd") == {
        ("nOffered", 5, 1),
        (metric, 15, 10),
    }


def test_an_offer_that_nobody_takes_is_not_handled():
    assert posted(line(("alert", 10, 30))) == {("tAlert", 30, 20), ("tNotResponding", 30, 20)}


def test_handle_time_without_after_call_work_is_posted_at_the_disconnect():
    assert ("tHandle", 60, 50) in posted(line(("contacting", 10, 20), ("interact", 20, 60)))


def test_every_transfer_has_a_kind_and_only_calls_for_a_queue_count_as_outbound(week):
    counted = Counter(metric for _, session in sessions_of(week) for metric, _ in session.marks)
    outbound = [
        (participant.purpose, session)
        for participant, session in sessions_of(week)
        if any(metric == "nOutbound" for metric, _ in session.marks)
    ]

    assert counted["nTransferred"] == counted["nBlindTransferred"] + counted["nConsultTransferred"]
    assert counted["nConsult"] > counted["nConsultTransferred"] > 0
    assert all(purpose == "agent" and session.segments[0].queue_id for purpose, session in outbound)
    assert len(outbound) > 50
