-- One row per {key} over the whole range, then the derived measures of
-- measures.py, which divide sums: see there for what each means.
with half_hours as (
    {half_hours}
),

totals as (
    select
        {key},
        count(*) filter (where coalesce(handle_ms, acw_ms, hold_ms) is not null) as interval_count,
        coalesce(sum(handle_ms), 0) as handle_ms,
        coalesce(sum(handle_count), 0) as handle_count,
        coalesce(sum(talk_ms), 0) as talk_ms,
        coalesce(sum(hold_ms), 0) as hold_ms,
        coalesce(sum(acw_ms), 0) as acw_ms,
        coalesce(sum(answered_count), 0) as answered_count,
        coalesce(sum(worked_ms), 0) as worked_ms,
        coalesce(sum(busy_ms), 0) as busy_ms,
        sum(logged_in_ms) as logged_in_ms,
        sum(on_queue_ms) as on_queue_ms,
        sum(interacting_ms) as interacting_ms,
        sum(idle_ms) as idle_ms,
        sum(communicating_ms) as communicating_ms,
        sum(available_ms) as available_ms,
        bool_or(provisional) as provisional
    from half_hours
    {days}
    group by {key}
)

select
    {key},
    coalesce(agents.name, agent_id) as agent_name,
    interval_count,
    handle_ms / 1000.0 as handle_time_sec,
    acw_ms / 1000.0 as acw_time_sec,
    hold_ms / 1000.0 as hold_time_sec,
    talk_ms / 1000.0 as talk_time_sec,
    handle_count as handled_count,
    answered_count,
    worked_ms / 1000.0 as worked_time_sec,
    busy_ms / 1000.0 as busy_time_sec,
    logged_in_ms / 1000.0 as logged_in_time_sec,
    on_queue_ms / 1000.0 as on_queue_time_sec,
    interacting_ms / 1000.0 as interacting_time_sec,
    idle_ms / 1000.0 as idle_time_sec,
    communicating_ms / 1000.0 as communicating_time_sec,
    {measures},
    provisional,
    $basis as basis
from totals
left join agents on agents.id = agent_id
order by {first} agent_name collate nocase.noaccent, agent_name, agent_id
