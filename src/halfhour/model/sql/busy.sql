-- How long an agent worked on anything, or anything of some queues or media types, in each
-- interval: the union of the work of all sessions, so what goes on at the same time counts once.
-- A call is left out as long as its agent works on the callback that led to it.
with segment_parts as (
    select
        agent_id,
        open,
        greatest(start_ms, epoch_ms(window_start)) as start_ms,
        least(end_ms, epoch_ms(window_start) + 86400000) as end_ms
    from segments
    where
        window_start >= $first and window_start < $last
        and segment_type in ('contacting', 'dialing', 'interact', 'hold', 'wrapup')
        and not voice_of_callback
        and ($agents is null or list_contains($agents, agent_id))
        and ($queues is null or list_contains($queues, queue_id))
        and ($media is null or list_contains($media, media_type))
),

pieces as (
    select
        agent_id,
        open,
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
        open,
        greatest(start_ms, interval_ms) as start_ms,
        least(end_ms, interval_ms + $width) as end_ms
    from pieces
    where interval_ms >= $start_ms and interval_ms < $end_ms
),

reached as (
    select
        *,
        max(end_ms) over (
            partition by agent_id, interval_ms
            order by start_ms, end_ms
            rows between unbounded preceding and 1 preceding
        ) as busy_until
    from lasted
)

select
    interval_ms,
    agent_id,
    sum(greatest(0, end_ms - greatest(start_ms, coalesce(busy_until, start_ms))))::bigint
        as busy_ms,
    bool_or(open) as open
from reached
group by all
