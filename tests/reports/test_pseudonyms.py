"""Pseudonyms replace every name and id, and change no figure."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from halfhour.model.intervals import Interval
from halfhour.model.question import Question
from halfhour.model.tables import AGENT_NAMES_SCHEMA, NAMES_SCHEMA, POSTED_SCHEMA
from halfhour.model.vocabulary import By
from halfhour.reports import questions
from halfhour.reports.agent_names import mark_gone_agents
from halfhour.reports.pseudonyms import Pseudonymizer
from tests.report_data import report_data

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = Interval(START, START + timedelta(days=1))
AGENTS = pa.table(
    {"id": ["a-1", "b-2"], "name": ["Ada Silva", "Bob"], "state": ["active", "deleted"]},
    schema=AGENT_NAMES_SCHEMA,
)
QUEUES = pa.table({"id": ["q-1", "q-2"], "name": ["Billing", "Sales"]}, schema=NAMES_SCHEMA)
ONE, OTHER = Pseudonymizer("k" * 16), Pseudonymizer("o" * 16)

rows = st.lists(
    st.fixed_dictionaries(
        {
            "interval_start": st.integers(0, 47).map(lambda at: START + at * timedelta(minutes=30)),
            "agent_id": st.sampled_from(["a-1", "b-2", "gone-3"]),
            "queue_id": st.sampled_from(["q-1", "q-1,q-2", None]),
            "media_type": st.just("voice"),
            "handle_ms": st.integers(0, 10**7),
        }
    ),
    max_size=20,
    unique_by=lambda row: (row["interval_start"], row["agent_id"], row["queue_id"]),
)


@given(rows, st.sampled_from(list(By)))
def test_pseudonyms_keep_the_figures_and_leave_no_name_or_id(posted, by):
    data = report_data(AGENTS, pa.Table.from_pylist(posted, schema=POSTED_SCHEMA), queues=QUEUES)
    plain = questions.build_report(Question(DAY, UTC, by), data)
    ONE.pseudonymize_report_data(data)
    disguised = questions.build_report(Question(DAY, UTC, by), data)
    assert mark_gone_agents(disguised, data.table("agents")) == disguised

    text = str(disguised.to_pylist())
    for name in ("a-1", "b-2", "gone-3", "q-1", "q-2", "Ada", "Bob", "Billing", "Sales"):
        assert name not in text
    personal = {"agent_id", "agent_name", "queue_id", "queue_name"}
    figure_columns = [name for name in plain.column_names if name not in personal]

    def figures(table: pa.Table) -> list[str]:
        return sorted(map(str, table.select(figure_columns).to_pylist()))

    assert figures(disguised) == figures(plain)
    for column in personal & set(plain.column_names):
        assert len(set(disguised[column].to_pylist())) == len(set(plain[column].to_pylist()))


@given(st.text(), st.text())
def test_the_same_id_has_the_same_pseudonym_and_with_another_key_another(one, other):
    assert (ONE.pseudonymize_id(one) == ONE.pseudonymize_id(other)) == (one == other)
    assert ONE.pseudonymize_id(one) != OTHER.pseudonymize_id(one)
    assert str(UUID(ONE.pseudonymize_id(one))) == ONE.pseudonymize_id(one)


def test_an_absent_id_stays_absent_and_the_key_is_in_no_repr():
    table = pa.table({"agent_id": ["a-1"], "queue_id": pa.array([None], pa.string())})
    assert ONE.pseudonymize_table(table)["queue_id"].to_pylist() == [None]
    assert "kkkk" not in repr(ONE)


def test_lists_of_ids_are_replaced_one_by_one():
    table = pa.table({"unexplained_conversations": ["c-1 c-2", ""], "agent_id": ["a", "b"]})
    assert ONE.pseudonymize_table(table)["unexplained_conversations"].to_pylist() == [
        f"{ONE.pseudonymize_id('c-1')} {ONE.pseudonymize_id('c-2')}",
        "",
    ]
