-- The values of the sessions in the window that begins at $start, as Genesys gave them: those of
-- the last record of each conversation, with the ids that say whose they are.
with conversations as (
    select * from main.conversations where window_start = $start
),

sessions as (
    select * from main.sessions where window_start = $start
),

latest_records as (
    {latest_records}
),

agent_sessions as (
    {agent_sessions}
)

select
    agent_sessions.window_start,
    agent_sessions.conversation_id,
    agent_sessions.session_id,
    agent_sessions.agent_id,
    agent_sessions.media_type,
    agent_sessions.direction,
    session_metrics.position,
    session_metrics.metric,
    session_metrics.value,
    make_timestamptz(session_metrics.emit_ms * 1000) as emitted_at
from main.session_metrics
join agent_sessions on agent_sessions.session_key = session_metrics.session_key
where session_metrics.window_start = $start
