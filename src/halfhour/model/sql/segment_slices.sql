-- The segments of the table `day_segments`, cut at the edges of intervals of $width milliseconds
-- since 1970, for the intervals from $start_ms to before $end_ms.
-- A segment is held under each day that it has a part in, so it is cut at the edges of the day,
-- which begins at day_start_ms, first.
with segment_parts as (
    select
        agent_id,
        queue_id,
        media_type,
        segment_type,
        open,
        greatest(start_ms, day_start_ms) as start_ms,
        least(end_ms, day_start_ms + {day_ms}) as end_ms
    from day_segments
),

parts_by_interval as (
    select
        *,
        unnest(generate_series(start_ms // $width, (end_ms - 1) // $width)) as interval_number
    from segment_parts
    where end_ms > start_ms
)

select
    interval_number * $width as interval_ms,
    agent_id,
    queue_id,
    media_type,
    segment_type,
    open,
    greatest(start_ms, interval_number * $width) as start_ms,
    least(end_ms, (interval_number + 1) * $width) as end_ms
from parts_by_interval
where interval_number * $width >= $start_ms and interval_number * $width < $end_ms
