"""What is made up: believable, the same every time, and posted by the rules."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesys_emulator.conversations import Conversation, Participant, Segment, Session
from genesys_emulator.emission import HANDLED, postings, worked
from genesys_emulator.instants import DAY, HOUR, midnight
from genesys_emulator.org import Organization, organization
from genesys_emulator.work import conversations

CENTRE = organization(1, 12)
MONDAY = date(2026, 3, 2)
WEEK = [MONDAY + timedelta(days=step) for step in range(7)]

agents = st.sampled_from(CENTRE.agents)
dates = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def sessions_of(centre: Organization = CENTRE) -> list[tuple[Participant, Session]]:
    return [
        (participant, session)
        for agent in centre.agents
        for day in WEEK
        for conversation in conversations(centre.seed, agent, day)
        for participant in conversation.participants
        for session in participant.sessions
        if participant.user_id
    ]


def live(session: Session) -> list[Segment]:
    return [segment for segment in session.segments if segment.kind != "wrapup"] or [
        *session.segments
    ]


def test_who_is_there_does_not_depend_on_how_many_are():
    assert organization(1, 30).agents[:12] == CENTRE.agents
    assert organization(2, 12).agents[0].id != CENTRE.agents[0].id


def test_two_people_share_a_name_and_two_have_left():
    names = [agent.name for agent in CENTRE.agents]

    assert len(names) - len(set(names)) == 1
    assert sorted(agent.state for agent in CENTRE.agents)[-2:] == ["deleted", "inactive"]
    assert len({agent.id for agent in organization(1, 2000).agents}) == 2000


@given(agents, dates)
def test_a_day_is_the_same_whenever_it_is_asked_for(agent, day):
    assert list(conversations(1, agent, day)) == list(conversations(1, agent, day))


def test_a_day_is_the_same_on_every_machine():
    (first, *_) = conversations(1, CENTRE.agents[0], MONDAY)

    assert CENTRE.agents[0].id == "935ccb97-0b88-4c63-bea0-53b618a59df4"
    assert [
        (segment.kind, segment.start - midnight(MONDAY), segment.end - segment.start)
        for segment in first.participants[-1].sessions[0].segments
    ] == [
        ("alert", 28_651_792, 4808),
        ("interact", 28_656_600, 282_202),
        ("wrapup", 28_938_802, 296_523),
    ]


@given(agents, dates)
def test_a_shift_posts_all_it_posts_within_two_days(agent, day):
    for conversation in conversations(1, agent, day):
        for _, values in postings(conversation):
            for metric, at, _ in values:
                if metric not in ("nOffered", "nConnected"):
                    assert midnight(day) <= at < midnight(day) + 2 * DAY


@given(agents, dates)
def test_an_agent_does_one_thing_at_a_time(agent, day):
    spans = [
        (
            min(s.segments[0].start for s in own.sessions),
            max(s.segments[-1].end for s in own.sessions),
        )
        for conversation in conversations(1, agent, day)
        for own in [conversation.participants[-1]]
    ]
    assert all(before[1] < after[0] for before, after in pairwise(spans))


def test_segments_follow_each_other_without_a_gap():
    for _, session in sessions_of():
        assert all(segment.start < segment.end for segment in session.segments)
        assert all(a.end == b.start for a, b in pairwise(session.segments))


def test_handle_time_is_the_sum_of_its_parts_in_every_session():
    for _, session in sessions_of():
        values = worked(session)
        sums = dict.fromkeys((*HANDLED, "tHandle", "tTalkComplete", "tHeldComplete"), 0)
        for metric, _, value in values:
            sums[metric] = sums.get(metric, 0) + value
        assert sums["tHandle"] == sum(sums[part] for part in HANDLED)
        assert sums["tTalkComplete"] == sums["tTalk"]
        assert sums["tHeldComplete"] == sums["tHeld"]


@pytest.mark.parametrize(
    ("oddity", "found"),
    [
        ("nobody answers", lambda p, s: {g.kind for g in s.segments} == {"alert"}),
        ("ACW after no answer", lambda p, s: {g.kind for g in s.segments} == {"alert", "wrapup"}),
        ("it ends on hold", lambda p, s: live(s)[-1].kind == "hold"),
        ("no ACW", lambda p, s: s.segments[-1].kind == "interact"),
        ("a call of one's own", lambda p, s: p.purpose == "user" and not s.segments[0].queue_id),
        ("a dial that fails", lambda p, s: live(s)[-1].kind == "dialing"),
        ("two queues", lambda p, s: len({g.queue_id for g in s.segments}) == 2),
        ("a transfer", lambda p, s: s.ended == "transfer"),
        ("over an hour", lambda p, s: s.segments[-1].end - s.segments[0].start > HOUR),
        ("a callback", lambda p, s: s.media == "callback"),
        ("an e-mail", lambda p, s: s.media == "email"),
    ],
)  # fmt: skip
def test_a_week_holds_what_makes_reports_hard(oddity, found):
    assert any(found(participant, session) for participant, session in sessions_of()), oddity


def line(*spans: tuple[str, int, int], ended: str = "peer") -> Session:
    segments = tuple(Segment(kind, start, end, "q") for kind, start, end in spans)
    return Session("voice", "inbound", segments, ended)


def posted(session: Session, purpose: str = "agent") -> set[tuple[str, int, int]]:
    waiting = Participant("acd", "", (line(("interact", 0, 15), ended="transfer"),))
    own = Participant(purpose, "u", (session,))
    values = [of for _, of in postings(Conversation(0, ("d",), (waiting, own)))]
    return set(values[1])


def test_each_value_is_posted_where_it_is_complete():
    call = line(
        ("alert", 10, 15), ("interact", 15, 40), ("hold", 40, 45), ("interact", 45, 60),
        ("hold", 60, 70), ("wrapup", 70, 90), ended="transfer",
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
        ("nBlindTransferred", 70, 1),
    }


def test_an_offer_that_nobody_takes_is_not_handled():
    assert posted(line(("alert", 10, 30))) == {("tAlert", 30, 20), ("tNotResponding", 30, 20)}


def test_handle_time_without_after_call_work_is_posted_at_the_disconnect():
    assert ("tHandle", 60, 50) in posted(line(("contacting", 10, 20), ("interact", 20, 60)))


def test_only_calls_for_a_queue_count_as_outbound():
    dialed = line(("contacting", 10, 20), ("dialing", 20, 30))

    assert ("nOutbound", 20, 1) in posted(dialed)
    assert ("nOutbound", 20, 1) not in posted(dialed, purpose="user")
