-- `session_overlaps` by the day on which handle time was posted, for `reconciled`: of conversations
-- with a session whose posted time differs from the worked one, where the store holds raw rows.
with differing_conversations as (
    select distinct
        conversation_id,
        make_timestamptz(day * {day_ms} * 1000) as window_start
    from sessions_with_totals
    where
        conversation_id in (
            select conversation_id
            from sessions_with_totals
            inner join days using (day)
            where differs_in_all_ms <> 0
        )
),

-- A window has keys of its own, so those of all windows are put one after the other, in the order
-- of reading: the reading of a conversation that is the latest counts.
readings as (
    select
        window_start,
        row_number() over (order by read_at, window_start) * (1::bigint << 40) as first_key
    from settled
    where source = 'details' and has_raw
),

conversations as (
    select conversations.* replace (first_key + record as record)
    from conversations
    inner join readings using (window_start)
    inner join differing_conversations using (window_start, conversation_id)
),

sessions as (
    select
        sessions.* replace (
            first_key + session_key as session_key,
            first_key + record as record
        )
    from sessions
    inner join readings using (window_start)
    where first_key + record in (select record from conversations)
),

raw_segments as (
    select raw_segments.* replace (first_key + session_key as session_key)
    from raw_segments
    inner join readings using (window_start)
    where first_key + session_key in (select session_key from sessions)
),

session_metrics as (
    select session_metrics.* replace (first_key + session_key as session_key)
    from session_metrics
    inner join readings using (window_start)
    where first_key + session_key in (select session_key from sessions)
),

latest_records as (
    {latest_records}
),

agent_sessions as (
    {agent_sessions}
),

timed_segments as (
    {timed_segments}
),

session_overlaps as (
    {session_overlaps}
)

select
    emit_ms // {day_ms} as day,
    agent_id,
    conversation_id,
    session_id,
    sum(overlap_ms) as overlap_ms
from session_overlaps
left join days on days.day = emit_ms // {day_ms}
where days.end_ms is null or emit_ms < days.end_ms
group by all
