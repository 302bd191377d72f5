-- The segments of the windows from $first to before $last, cut at the edges of intervals.
-- A segment is held by each window that it has a part in, so it is cut at the edges of the
-- window first. Times are whole milliseconds since 1970.
-- $voice_of_callback chooses the time that a callback and the call it led to have in common, as
-- it lies in the call, or all other time.
with segment_parts as (
    select
        agent_id,
        queue_id,
        media_type,
        segment_type,
        open,
        greatest(start_ms, epoch_ms(window_start)) as start_ms,
        least(end_ms, epoch_ms(window_start) + {day_ms}) as end_ms
    from segments
    where
        window_start >= $first and window_start < $last
        and voice_of_callback = $voice_of_callback
        and ($agents is null or list_contains($agents, agent_id))
),

parts_by_interval as (
    select
        *,
        unnest(range(start_ms // $width, (end_ms - 1) // $width + 1)) * $width as interval_ms
    from segment_parts
    where end_ms > start_ms
)

select
    interval_ms,
    agent_id,
    queue_id,
    media_type,
    segment_type,
    open,
    greatest(start_ms, interval_ms) as start_ms,
    least(end_ms, interval_ms + $width) as end_ms
from parts_by_interval
where interval_ms >= $start_ms and interval_ms < $end_ms
