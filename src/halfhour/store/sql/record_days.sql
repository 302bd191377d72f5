-- The days of the table `days` to which each record belongs: those from its first to its last
-- time. A record without any time may belong to every day.
with record_times as (
    select record, started_ms as time_ms from conversations
    union all
    select record, ended_ms as time_ms from conversations
    union all
    select sessions.record, start_ms as time_ms
    from raw_segments
    join sessions using (session_key)
    union all
    select
        agent_sessions.record,
        case when start_ms is not null then coalesce(end_ms, as_of_ms - 1) end as time_ms
    from raw_segments
    join agent_sessions using (session_key)
    union all
    select sessions.record, emit_ms as time_ms
    from session_metrics
    join sessions using (session_key)
),

record_spans as (
    select
        record,
        min(time_ms) as first_ms,
        max(time_ms) as last_ms
    from record_times
    where
        record in (select record from agent_sessions)
        or record in (select record from conversations where not is_readable)
    group by record
)

select
    days.start_ms,
    record
from record_spans
join days
    on first_ms is null
    or (first_ms < days.start_ms + {day_ms} and last_ms >= days.start_ms)
