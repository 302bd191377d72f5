-- A rule of `model/sql` over the segments of the windows from $first to before $last; null means
-- all agents, queues or media types. $voice_of_callback chooses the time that a callback and the
-- call it led to have in common, as it lies in the call, or all other time.
with day_segments as (
    select
        agent_id,
        queue_id,
        media_type,
        segment_type,
        open,
        start_ms,
        end_ms,
        epoch_ms(window_start) as day_start_ms
    from segments
    where
        window_start >= $first and window_start < $last
        and voice_of_callback = $voice_of_callback
        and ($agents is null or list_contains($agents, agent_id))
        and ($queues is null or list_contains($queues, queue_id))
        and ($media is null or list_contains($media, media_type))
)

select
    make_timestamptz(interval_ms * 1000) as interval_start,
    * exclude (interval_ms)
from ({rule})
