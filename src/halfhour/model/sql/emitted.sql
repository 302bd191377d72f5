-- The values that `agent_sessions` posted from $start_ms on and before $end_ms, with the queues of
-- their session as conversation aggregates join them: with commas, in the order of its segments.
with session_queues as (
    select
        session_key,
        string_agg(queue_id, ',' order by first_position) as queue_ids
    from (
        select session_key, queue_id, min(position) as first_position
        from raw_segments
        where queue_id <> ''
        group by session_key, queue_id
    ) as queues_of_session
    group by session_key
)

select
    make_timestamptz(session_metrics.emit_ms * 1000) as emitted_at,
    agent_sessions.conversation_id,
    agent_sessions.session_id,
    agent_sessions.agent_id,
    session_queues.queue_ids as queue_id,
    agent_sessions.media_type,
    session_metrics.metric,
    session_metrics.value
from session_metrics
join agent_sessions on agent_sessions.session_key = session_metrics.session_key
left join session_queues on session_queues.session_key = session_metrics.session_key
where
    session_metrics.metric in {posted_metrics}
    and session_metrics.value is not null
    and session_metrics.emit_ms >= $start_ms
    and session_metrics.emit_ms < $end_ms
order by session_metrics.session_key, session_metrics.position
