-- The segments of `agent_sessions` that have a start, each with an end: a row of `raw_segments` with
-- `worked_until_ms`, the end of the session's work before it, which must not count twice.
with ordered_segments as (
    select
        raw_segments.session_key,
        raw_segments.position,
        raw_segments.segment_type,
        raw_segments.queue_id,
        raw_segments.start_ms,
        raw_segments.end_ms,
        agent_sessions.conversation_end_ms,
        agent_sessions.as_of_ms,
        lead(raw_segments.start_ms) over (
            partition by raw_segments.session_key
            order by raw_segments.start_ms, raw_segments.position
        ) as next_start_ms
    from raw_segments
    join agent_sessions on agent_sessions.session_key = raw_segments.session_key
    where
        raw_segments.start_ms is not null
        and (raw_segments.end_ms is null or raw_segments.end_ms >= raw_segments.start_ms)
),

-- A session posts its handle time when it is over. Times before the start of a segment do not
-- close it: an agent may take up a message again.
handled_after as (
    select
        ordered_segments.session_key,
        ordered_segments.position,
        min(session_metrics.emit_ms) as handled_ms
    from ordered_segments
    join session_metrics on session_metrics.session_key = ordered_segments.session_key
    where
        ordered_segments.end_ms is null
        and session_metrics.metric = 'tHandle'
        and session_metrics.value is not null
        and session_metrics.emit_ms > ordered_segments.start_ms
    group by ordered_segments.session_key, ordered_segments.position
),

-- What has no end lasts until the next segment begins, the session posts its handle time or the
-- conversation ends. After-call work may begin after the end of its conversation.
closed_segments as (
    select
        ordered_segments.*,
        least(
            next_start_ms,
            handled_after.handled_ms,
            case when conversation_end_ms > start_ms then conversation_end_ms end
        ) as closed_ms
    from ordered_segments
    left join handled_after
        on handled_after.session_key = ordered_segments.session_key
        and handled_after.position = ordered_segments.position
),

-- What none of them has closed by the time of the reading is open, and lasts until then.
ended_segments as (
    select
        session_key,
        position,
        segment_type,
        segment_type in {work_segment_types} as is_work,
        queue_id,
        start_ms,
        case
            when end_ms is not null then end_ms
            when closed_ms is null or closed_ms > as_of_ms then as_of_ms
            else closed_ms
        end as end_ms,
        end_ms is null as lacks_end,
        end_ms is null and (closed_ms is null or closed_ms > as_of_ms) as open
    from closed_segments
)

select
    *,
    coalesce(
        max(case when is_work then end_ms end) over (
            partition by session_key
            order by start_ms, position
            rows between unbounded preceding and 1 preceding
        ),
        0
    ) as worked_until_ms
from ended_segments
