-- What is wrong with the latest version of each conversation: `kind`, where it is, whether the
-- figures lack it, and the first and last time of all versions, null if one has no time.
with latest_records as (
    select max(record) as record
    from conversations
    where conversation_id is not null
    group by conversation_id
    union all
    select record
    from conversations
    where conversation_id is null
),

segment_issues as (
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
            else strftime(make_timestamp(start_ms * 1000), ' at %Y-%m-%dT%H:%M:%S.%gZ')
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

empty_conversations as (
    select distinct record
    from agent_sessions
    where
        record not in (
            select record
            from agent_sessions
            where
                session_key in (select session_key from raw_segments)
                or session_key in (
                    select session_key from session_metrics where metric in {posted_metrics}
                )
        )
        and record not in (select record from session_issues)
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

-- Times of readable records are those of their agents.
record_times as (
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

record_spans as (
    select
        coalesce(conversation_id, record::varchar) as conversation,
        record,
        min(time_ms) as first_ms,
        max(time_ms) as last_ms
    from record_times
    join conversations using (record)
    where
        coalesce(conversation_id, record::varchar) in (
            select coalesce(conversation_id, record::varchar)
            from all_issues
            join conversations using (record)
        )
    group by all
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
join time_spans on time_spans.conversation = coalesce(conversation_id, record::varchar)
order by record, session_key, kind, position
