-- The time that segments of one session have in common, at the moment emit_ms at which the session
-- posted handle time for them. The session worked once in that time, and Genesys posts the metric
-- of each segment whole. There is no row where the posted value says otherwise, as it is not nearer
-- to the time of the whole segments than to the time that was worked.
with work_segments as (
    select
        session_key,
        position,
        start_ms,
        end_ms - start_ms as whole_ms,
        greatest(0, least(end_ms, worked_until_ms) - start_ms) as overlap_ms
    from timed_segments
    where is_work
),

handle_values as (
    select
        session_key,
        emit_ms,
        sum(value) as handle_ms
    from session_metrics
    where
        metric = 'tHandle'
        and session_key in (select session_key from work_segments where overlap_ms > 0)
    group by session_key, emit_ms
),

-- A session may post several times: a segment belongs to the first time after its start.
posted_segments as (
    select
        work_segments.session_key,
        work_segments.position,
        work_segments.whole_ms,
        work_segments.overlap_ms,
        min(handle_values.emit_ms) as emit_ms
    from work_segments
    join handle_values
        on handle_values.session_key = work_segments.session_key
        and handle_values.emit_ms > work_segments.start_ms
    group by
        work_segments.session_key,
        work_segments.position,
        work_segments.whole_ms,
        work_segments.overlap_ms
),

overlaps_by_value as (
    select
        session_key,
        emit_ms,
        sum(whole_ms) as whole_ms,
        sum(overlap_ms) as overlap_ms
    from posted_segments
    group by session_key, emit_ms
)

select
    agent_sessions.agent_id,
    agent_sessions.conversation_id,
    agent_sessions.session_id,
    overlaps_by_value.emit_ms,
    overlaps_by_value.overlap_ms
from overlaps_by_value
join handle_values
    on handle_values.session_key = overlaps_by_value.session_key
    and handle_values.emit_ms = overlaps_by_value.emit_ms
join agent_sessions on agent_sessions.session_key = overlaps_by_value.session_key
where
    overlap_ms > 0
    and abs(handle_ms - whole_ms) < abs(handle_ms - (whole_ms - overlap_ms))
