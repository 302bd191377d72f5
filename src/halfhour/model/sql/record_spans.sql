-- The first and the last time that each record of `conversations` says, null if it says none, and
-- the time until which a segment of it is open. The times of a readable record are those of its
-- agents, and of the conversation.
with record_times as (
    select record, started_ms as time_ms from conversations
    union all
    select record, ended_ms as time_ms from conversations
    union all
    select record, start_ms as time_ms
    from raw_segments
    join sessions using (session_key)
    union all
    select record, end_ms as time_ms
    from raw_segments
    join sessions using (session_key)
    union all
    select record, emit_ms as time_ms
    from session_metrics
    join sessions using (session_key)
),

times_by_record as (
    select
        record,
        min(time_ms) as first_ms,
        max(time_ms) as last_ms
    from record_times
    group by record
),

open_segments as (
    select record, max(as_of_ms) as open_until_ms
    from raw_segments
    join sessions using (session_key)
    join conversations using (record)
    where start_ms is not null and end_ms is null
    group by record
)

select
    record,
    coalesce(conversation_id, record::varchar) as conversation,
    first_ms,
    last_ms,
    open_until_ms
from times_by_record
join conversations using (record)
left join open_segments using (record)
