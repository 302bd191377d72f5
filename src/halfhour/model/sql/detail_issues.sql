-- What is wrong with `latest_records`: the kind, where it is, and the first and the last time of all
-- records of the conversation, null if one of them says no time.
with segment_issues as (
    select session_key, position, 'without_start' as kind
    from raw_segments
    where start_ms is null
    union all
    select session_key, position, 'reversed' as kind
    from raw_segments
    where end_ms < start_ms
    union all
    select session_key, position, 'unknown_type' as kind
    from timed_segments
    where segment_type not in {segment_types}
    union all
    select session_key, position, 'without_end' as kind
    from timed_segments
    where lacks_end and not open
    union all
    select session_key, position, 'overlapping' as kind
    from timed_segments
    where is_work and start_ms < least(worked_until_ms, end_ms)
),

session_issues as (
    select
        segment_issues.kind,
        agent_sessions.record,
        agent_sessions.session_key,
        raw_segments.position,
        'session ' || session_id || ', segments[' || raw_segments.position || ']: ' || segment_type
        || case
            when start_ms is null then ''
            else ' at ' || strftime(make_timestamp(start_ms * 1000), '%Y-%m-%d')
                || 'T' || strftime(make_timestamp(start_ms * 1000), '%H:%M:%S')
                || '.' || lpad((start_ms % 1000)::varchar, 3, '0') || 'Z'
        end as detail
    from segment_issues
    join agent_sessions using (session_key)
    join raw_segments
        on raw_segments.session_key = segment_issues.session_key
        and raw_segments.position = segment_issues.position
    union all
    select
        'unreadable_value' as kind,
        record,
        session_key,
        position,
        'session ' || session_id || ', metrics[' || position || ']: ' || metric as detail
    from session_metrics
    join agent_sessions using (session_key)
    where metric in {posted_metrics} and (value is null or emit_ms is null)
),

-- The records that say something of what their agents did, or have an issue that tells why not.
telling_records as (
    select record
    from agent_sessions
    join raw_segments using (session_key)
    union
    select record
    from agent_sessions
    join session_metrics using (session_key)
    where metric in {posted_metrics}
    union
    select record
    from session_issues
),

empty_conversations as (
    select distinct agent_sessions.record
    from agent_sessions
    left join telling_records on telling_records.record = agent_sessions.record
    where telling_records.record is null
),

all_issues as (
    select 'unreadable' as kind, record, 0 as session_key, 0 as position, reason as detail
    from conversations
    where not is_readable
    union all
    select 'empty' as kind, record, 0 as session_key, 0 as position, '' as detail
    from empty_conversations
    union all
    select kind, record, session_key, position, detail
    from session_issues
),

time_spans as (
    select
        conversation,
        case when count(*) = count(first_ms) then min(first_ms) end as first_ms,
        case when count(*) = count(last_ms) then max(last_ms) end as last_ms
    from record_spans
    group by conversation
)

select
    kind,
    conversations.conversation_id,
    detail,
    time_spans.first_ms,
    time_spans.last_ms
from all_issues
join latest_records using (record)
join conversations using (record)
join record_spans using (record)
join time_spans using (conversation)
order by record, session_key, kind, position
