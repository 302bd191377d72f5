"""Names of agents as people read them: those who are gone are marked."""

import pyarrow as pa
import pyarrow.compute as pc

_ACTIVE = "active"


def mark_gone_agents(table: pa.Table, agents: pa.Table) -> pa.Table:
    """Return *table* with the state after the names of agents who are not active any more.

    An example is "Ada Silva (deleted)". *table* has the columns `agent_id` and `agent_name`, or
    is returned as it is; *agents* has `id` and `state`, which is null if unknown.
    """
    gone = agents.filter(pc.fill_null(pc.not_equal(agents["state"], _ACTIVE), False))
    if not gone.num_rows or "agent_name" not in table.column_names:
        return table
    marks = pc.binary_join_element_wise(" (", gone["state"], ")", "").combine_chunks()
    marks_by_row = marks.take(pc.index_in(table["agent_id"], gone["id"].combine_chunks()))
    names = pc.binary_join_element_wise(table["agent_name"], pc.fill_null(marks_by_row, ""), "")
    position = table.column_names.index("agent_name")
    return table.set_column(position, table.schema.field(position), names)


def shown_agent_name(agent_id: str, agents: pa.Table) -> str:
    """Return the marked name of an agent, or the id where no name is known.

    *agents* has the columns `id`, `name` and `state`.
    """
    agent = agents.filter(pc.equal(agents["id"], agent_id))
    row = {"agent_id": [agent_id], "agent_name": agent["name"].to_pylist() or [agent_id]}
    return str(mark_gone_agents(pa.table(row), agent)["agent_name"][0].as_py())
