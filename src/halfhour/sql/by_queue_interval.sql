-- One row per interval, queue and media type, as workforce management wants it.
-- A session of several queues has a row of its own, so that nothing counts twice.
with counted as (
    select *, 1 as times from figures
    union all by name
    -- The call that a callback led to is posted under voice too: once is enough.
    select *, -1 as times from legs
),

posted_there as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz)
            as interval_start,
        queue_id,
        media_type,
        sum(times * handle_ms)::bigint as handle_ms,
        sum(times * handle_count)::bigint as handle_count,
        sum(times * talk_ms)::bigint as talk_ms,
        sum(times * hold_ms)::bigint as hold_ms,
        sum(times * acw_ms)::bigint as acw_ms,
        sum(times * answered_count)::bigint as answered_count
    from counted
    where queue_id is not null
    group by all
),

asked as (
    select
        interval_start,
        case when has_figures then 0 end as no_figures
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
    time_bucket(interval 1 day, interval_start) in (from young) as provisional,
    $basis as basis
from posted_there
full join offered_there using (interval_start, queue_id, media_type)
join asked using (interval_start)
order by interval_start, queue_name, queue_id, media_type
