-- How long agents worked, and on what, in each interval: segments cut at its edges.
-- A segment is held by each window that it has a part in, so it is cut at the
-- edges of the window first. All is whole milliseconds since 1970, portable.
-- The time that a callback and the call it led to have in common counts for the callback
-- alone; $voice_of_callback asks for that time instead, as it lies in the call.
with segment_parts as (
    select
        agent_id,
        queue_id,
        media_type,
        segment_type,
        greatest(start_ms, epoch_ms(window_start)) as start_ms,
        least(end_ms, epoch_ms(window_start) + 86400000) as end_ms
    from segments
    where
        window_start >= $first and window_start < $last
        and voice_of_callback = $voice_of_callback
        and ($agents is null or list_contains($agents, agent_id))
),

pieces as (
    select
        agent_id,
        queue_id,
        media_type,
        segment_type,
        start_ms,
        end_ms,
        unnest(range(start_ms // $width, (end_ms - 1) // $width + 1)) * $width as interval_ms
    from segment_parts
    where end_ms > start_ms
),

lasted as (
    select
        interval_ms,
        agent_id,
        queue_id,
        media_type,
        segment_type,
        least(end_ms, interval_ms + $width) - greatest(start_ms, interval_ms) as ms
    from pieces
    where interval_ms >= $start_ms and interval_ms < $end_ms
)

select
    interval_ms,
    agent_id,
    queue_id,
    media_type,
    sum(ms) filter (
        where segment_type in ('contacting', 'dialing', 'interact', 'hold', 'wrapup')
    )::bigint as handle_ms,
    null::bigint as handle_count,
    sum(ms) filter (where segment_type = 'interact')::bigint as talk_ms,
    sum(ms) filter (where segment_type = 'hold')::bigint as hold_ms,
    null::bigint as hold_count,
    sum(ms) filter (where segment_type = 'wrapup')::bigint as acw_ms,
    null::bigint as acw_count,
    sum(ms) filter (where segment_type = 'contacting')::bigint as contacting_ms,
    sum(ms) filter (where segment_type = 'dialing')::bigint as dialing_ms,
    sum(ms) filter (where segment_type = 'alert')::bigint as alert_ms,
    null::bigint as not_responding_ms,
    null::bigint as not_responding_count,
    null::bigint as answered_count,
    null::bigint as transferred_count
from lasted
group by all
