-- One row per agent over the whole range, or per day and agent: the sums, then the measures, which
-- divide them.
with half_hours as (
    {half_hours}
),

totals as (
    select
        day,
        agent_id,
        any_value(figures_zero)
        + count(*) filter (where coalesce(handle_ms, acw_ms, hold_ms) is not null)
            as interval_count,
        {agent_totals},
        sum(available_ms) as available_ms,
        bool_or(provisional) as provisional
    from half_hours
    group by all
)

select
    day,
    agent_id,
    coalesce(agents.name, agent_id) as agent_name,
    interval_count,
    {agent_columns},
    {agent_measures},
    provisional,
    $basis as basis
from totals
left join agents on agents.id = agent_id
order by day, {agent_name_order}
