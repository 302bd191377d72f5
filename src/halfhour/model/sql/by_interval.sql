-- One row per interval and agent of which anything is known.
with half_hours as (
    {half_hours}
),

capacity_by_interval as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        avg(used_percent) as used_percent
    from capacity
    group by all
),

-- Agents are put in order once, as comparing names takes longer than comparing numbers.
agents_in_order as (
    select
        agent_id,
        coalesce(agents.name, agent_id) as agent_name,
        row_number() over (order by {agent_name_order}) as place
    from (select distinct agent_id from half_hours)
    left join agents on agents.id = agent_id
)

select
    interval_start,
    interval_start + interval {minutes} minutes as interval_end,
    agent_id,
    agent_name,
    {interval_posted_columns},
    coalesce(handle_ms, figures_zero) > {minutes} * 60000 as exceeds_interval,
    {interval_work_columns},
    {interval_status_columns},
    {occupancy},
    round(used_percent, {percent_decimals}) as preview_capacity_used_percent,
    provisional,
    $basis as basis
from half_hours
left join capacity_by_interval using (interval_start, agent_id)
inner join agents_in_order using (agent_id)
order by interval_start, place
