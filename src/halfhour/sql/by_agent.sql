-- Posted figures, one row per agent over the whole range, then the derived
-- measures of measures.py, which divide sums: see there for what each means.
with half_hours as (
    select distinct
        agent_id,
        time_bucket(interval 30 minutes, interval_start, $origin::timestamptz) as interval_start
    from posted
    where coalesce(handle_ms, acw_ms, hold_ms) is not null
),

active as (
    select agent_id, count(*) as interval_count from half_hours group by agent_id
),

totals as (
    select
        agent_id,
        coalesce(sum(handle_ms), 0) as handle_ms,
        coalesce(sum(handle_count), 0) as handle_count,
        coalesce(sum(talk_ms), 0) as talk_ms,
        coalesce(sum(hold_ms), 0) as hold_ms,
        coalesce(sum(acw_ms), 0) as acw_ms,
        coalesce(sum(answered_count), 0) as answered_count,
        bool_or(time_bucket(interval 1 day, interval_start) in (from young)) as provisional
    from posted
    group by agent_id
)

select
    agent_id,
    coalesce(agents.name, agent_id) as agent_name,
    coalesce(interval_count, 0) as interval_count,
    handle_ms / 1000.0 as handle_time_sec,
    acw_ms / 1000.0 as acw_time_sec,
    hold_ms / 1000.0 as hold_time_sec,
    talk_ms / 1000.0 as talk_time_sec,
    handle_count as handled_count,
    answered_count,
    {measures},
    provisional,
    'posted' as basis
from totals
left join active using (agent_id)
left join agents on agents.id = agent_id
order by agent_name collate nocase.noaccent, agent_name, agent_id
