-- What calls have posted that callbacks led to, as far as aggregates have it too: details may
-- have been read when they knew more.
with rebuilt as (
    {rebuilt}
),

told as (
    select
        epoch_ms(interval_start) // $width * $width as interval_ms,
        agent_id,
        queue_id,
        media_type,
        sum(handle_ms) as handle_ms
    from posted
    where
        interval_start >= $start and interval_start < $end
        and ($agents is null or list_contains($agents, agent_id))
    group by all
)

select rebuilt.*
from rebuilt
join told
    on told.interval_ms = rebuilt.interval_ms
    and told.agent_id = rebuilt.agent_id
    and told.queue_id is not distinct from rebuilt.queue_id
    and told.media_type is not distinct from rebuilt.media_type
    and coalesce(told.handle_ms, 0) >= coalesce(rebuilt.handle_ms, 0)
