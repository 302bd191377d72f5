-- The time of `timed_segments` as slices, which do not overlap other work of their session: a session
-- works on one thing at a time, so the later segment gives way.
-- `voice_of_callback` marks the time that a callback and the call it led to have in common.
with session_slices as (
    select *
    from (
        select
            session_key,
            position,
            segment_type,
            is_work,
            queue_id,
            case when is_work then greatest(start_ms, worked_until_ms) else start_ms end as start_ms,
            end_ms,
            open
        from timed_segments
    ) as trimmed_segments
    where start_ms < end_ms
),

session_spans as (
    select
        session_slices.session_key,
        agent_sessions.record,
        agent_sessions.agent_id,
        agent_sessions.media_type,
        agent_sessions.direction,
        min(session_slices.start_ms) as start_ms,
        max(session_slices.end_ms) as end_ms
    from session_slices
    join agent_sessions on agent_sessions.session_key = session_slices.session_key
    where agent_sessions.media_type in ('callback', 'voice')
    group by
        session_slices.session_key,
        agent_sessions.record,
        agent_sessions.agent_id,
        agent_sessions.media_type,
        agent_sessions.direction
),

-- A callback leads to an outbound call of the same agent, which begins within its session.
callback_work as (
    select
        calls.session_key,
        session_slices.start_ms,
        session_slices.end_ms,
        max(session_slices.end_ms) over (
            partition by calls.session_key
            order by session_slices.start_ms, session_slices.end_ms
            rows between unbounded preceding and 1 preceding
        ) as running_end_ms
    from session_spans as calls
    join session_spans as callbacks
        on callbacks.record = calls.record
        and callbacks.agent_id = calls.agent_id
        and callbacks.start_ms <= calls.start_ms
        and callbacks.end_ms > calls.start_ms
    join session_slices on session_slices.session_key = callbacks.session_key
    where
        calls.media_type = 'voice'
        and calls.direction = 'outbound'
        and callbacks.media_type = 'callback'
        and session_slices.is_work
),

numbered_callback_work as (
    select
        *,
        sum(case when running_end_ms >= start_ms then 0 else 1 end) over (
            partition by session_key
            order by start_ms, end_ms
            rows between unbounded preceding and current row
        ) as span_number
    from callback_work
),

-- The spans of work on callbacks, by the call that they led to; spans that touch are one.
callback_spans as (
    select
        session_key,
        min(start_ms) as start_ms,
        max(end_ms) as end_ms
    from numbered_callback_work
    group by session_key, span_number
),

call_slices as (
    select *
    from session_slices
    where is_work and session_key in (select session_key from callback_spans)
),

callback_edges as (
    select session_key, start_ms as edge_ms
    from callback_spans
    union
    select session_key, end_ms as edge_ms
    from callback_spans
),

-- The work of such a call is split where work on the callback begins and ends.
edges as (
    select session_key, position, start_ms as edge_ms
    from call_slices
    union
    select session_key, position, end_ms as edge_ms
    from call_slices
    union
    select call_slices.session_key, call_slices.position, callback_edges.edge_ms
    from call_slices
    join callback_edges
        on callback_edges.session_key = call_slices.session_key
        and callback_edges.edge_ms > call_slices.start_ms
        and callback_edges.edge_ms < call_slices.end_ms
),

call_parts as (
    select
        session_key,
        position,
        edge_ms as start_ms,
        lead(edge_ms) over (partition by session_key, position order by edge_ms) as end_ms
    from edges
),

all_slices as (
    select
        session_key,
        position,
        segment_type,
        queue_id,
        start_ms,
        end_ms,
        open,
        false as voice_of_callback
    from session_slices
    where
        not (
            is_work
            and exists (
                select 1
                from callback_spans
                where callback_spans.session_key = session_slices.session_key
            )
        )
    union all
    select
        call_parts.session_key,
        call_parts.position,
        call_slices.segment_type,
        call_slices.queue_id,
        call_parts.start_ms,
        call_parts.end_ms,
        call_slices.open,
        callback_spans.session_key is not null as voice_of_callback
    from call_parts
    join call_slices
        on call_slices.session_key = call_parts.session_key
        and call_slices.position = call_parts.position
    left join callback_spans
        on callback_spans.session_key = call_parts.session_key
        and callback_spans.start_ms <= call_parts.start_ms
        and callback_spans.end_ms >= call_parts.end_ms
    where call_parts.end_ms is not null
)

select *
from all_slices
