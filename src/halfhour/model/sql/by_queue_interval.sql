-- One row per interval, queue and media type, as workforce management expects it.
-- A session of several queues has a row of its own under all of them, so nothing counts twice.
with figures_by_queue as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz)
            as interval_start,
        queue_id,
        media_type,
        {queue_interval_sums}
    from figures
    where queue_id is not null
    group by all
),

-- The time that a callback and the call it led to have in common, which is posted under both.
callback_voice_by_queue as (
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

zeros as (
    select
        interval_start,
        case when has_figures then 0 end as figures_zero,
        case when has_details then 0 end as details_zero,
        is_provisional
    from calendar
),

offered_by_queue as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz)
            as interval_start,
        queue_id,
        media_type,
        sum(offered_count)::bigint as offered_count
    from offered
    group by all
),

queue_intervals as (
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
        {queue_interval_columns},
        is_provisional as provisional,
        $basis as basis
    from figures_by_queue
    full join callback_voice_by_queue using (interval_start, queue_id, media_type)
    full join offered_by_queue using (interval_start, queue_id, media_type)
    join zeros using (interval_start)
)

select *
from queue_intervals
order by interval_start, {queue_name_order}, media_type
