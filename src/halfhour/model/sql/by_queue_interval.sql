-- One row per interval, queue and media type, as workforce management wants it.
-- A session of several queues has a row of its own, so that nothing counts twice.
with posted_there as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz)
            as interval_start,
        queue_id,
        media_type,
        sum(handle_ms)::bigint as handle_ms,
        sum(handle_count)::bigint as handle_count,
        sum(talk_ms)::bigint as talk_ms,
        sum(hold_ms)::bigint as hold_ms,
        sum(acw_ms)::bigint as acw_ms,
        sum(answered_count)::bigint as answered_count
    from figures
    where queue_id is not null
    group by all
),

-- A callback and the call it led to are both posted: the time that they have in common.
called_back as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz)
            as interval_start,
        queue_id,
        media_type,
        sum(handle_ms)::bigint as callback_voice_ms
    from callback_voice
    where queue_id is not null
    group by all
),

asked as (
    select
        interval_start,
        case when has_figures then 0 end as no_figures,
        case when has_details then 0 end as no_details
    from calendar
),

offered_there as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz)
            as interval_start,
        queue_id,
        media_type,
        sum(offered_count)::bigint as offered_count
    from offered
    group by all
)

select
    interval_start,
    interval_start + interval {minutes} minutes as interval_end,
    queue_id,
    (
        select string_agg(coalesce(queues.name, id), ', ' order by id)
        from unnest(string_split(queue_id, ',')) as listed(id)
        left join queues using (id)
    ) as queue_name,
    media_type,
    case when $with_offered then coalesce(offered_count, 0) end as offered_count,
    coalesce(handle_count, no_figures) as handled_count,
    coalesce(answered_count, no_figures) as answered_count,
    coalesce(handle_ms, no_figures) / 1000.0 as handle_time_sec,
    coalesce(talk_ms, no_figures) / 1000.0 as talk_time_sec,
    coalesce(hold_ms, no_figures) / 1000.0 as hold_time_sec,
    coalesce(acw_ms, no_figures) / 1000.0 as acw_time_sec,
    coalesce(callback_voice_ms, no_details) / 1000.0 as callback_voice_time_sec,
    time_bucket(interval 1 day, interval_start) in (from young) as provisional,
    $basis as basis
from posted_there
full join called_back using (interval_start, queue_id, media_type)
full join offered_there using (interval_start, queue_id, media_type)
join asked using (interval_start)
order by interval_start, queue_name, queue_id, media_type
