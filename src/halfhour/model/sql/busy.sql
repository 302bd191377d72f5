-- How long an agent worked on anything in each interval: the union of the work of all sessions, so
-- simultaneous work counts once.
with segment_slices as (
    {segment_slices}
),

work_with_running_end as (
    select
        *,
        max(end_ms) over (
            partition by agent_id, interval_ms
            order by start_ms, end_ms
            rows between unbounded preceding and 1 preceding
        ) as running_end
    from segment_slices
    where segment_type in {work_segment_types}
)

select
    interval_ms,
    agent_id,
    sum(greatest(0, end_ms - greatest(start_ms, coalesce(running_end, start_ms))))::bigint
        as busy_ms,
    bool_or(open) as open
from work_with_running_end
group by all
