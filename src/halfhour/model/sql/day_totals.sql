-- The figures that the dashboard shows, added up over half-hours, and occupancy: one row per
-- half-hour, of all agents, and one row per agent, of all half-hours. The other key is null.
with half_hours as (
    {half_hours}
),

totals as (
    select
        interval_start,
        agent_id,
        {day_totals},
        sum(interacting_ms) as interacting_ms,
        sum(available_ms) as available_ms
    from half_hours
    group by grouping sets ((interval_start), (agent_id))
)

select
    interval_start,
    agent_id,
    {day_columns},
    {occupancy}
from totals
order by interval_start, agent_id
