-- One row per agent over the whole range, or per day and agent, then the derived measures
-- of measures.py, which divide sums: see there for what each means.
with half_hours as (
    {half_hours}
),

totals as (
    select
        day,
        agent_id,
        any_value(no_figures)
        + count(*) filter (where coalesce(handle_ms, acw_ms, hold_ms) is not null)
            as interval_count,
        coalesce(sum(handle_ms), any_value(no_figures)) as handle_ms,
        coalesce(sum(handle_count), any_value(no_figures)) as handle_count,
        coalesce(sum(talk_ms), any_value(no_figures)) as talk_ms,
        coalesce(sum(hold_ms), any_value(no_figures)) as hold_ms,
        coalesce(sum(acw_ms), any_value(no_figures)) as acw_ms,
        coalesce(sum(digital_hold_ms), any_value(no_figures)) as digital_hold_ms,
        coalesce(sum(no_queue_ms), any_value(no_figures)) as no_queue_ms,
        coalesce(sum(callback_voice_ms), any_value(no_details)) as callback_voice_ms,
        coalesce(sum(answered_count), any_value(no_figures)) as answered_count,
        coalesce(sum(transferred_count), 0) + any_value(no_transfers) as transferred_count,
        coalesce(sum(worked_ms), any_value(no_details)) as worked_ms,
        coalesce(sum(busy_ms), any_value(no_details)) as busy_ms,
        sum(logged_in_ms) as logged_in_ms,
        sum(on_queue_ms) as on_queue_ms,
        sum(interacting_ms) as interacting_ms,
        sum(idle_ms) as idle_ms,
        sum(communicating_ms) as communicating_ms,
        sum(status_not_responding_ms) as status_not_responding_ms,
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
    handle_ms / 1000.0 as handle_time_sec,
    acw_ms / 1000.0 as acw_time_sec,
    hold_ms / 1000.0 as hold_time_sec,
    talk_ms / 1000.0 as talk_time_sec,
    digital_hold_ms / 1000.0 as digital_hold_time_sec,
    no_queue_ms / 1000.0 as no_queue_time_sec,
    callback_voice_ms / 1000.0 as callback_voice_time_sec,
    handle_count as handled_count,
    answered_count,
    transferred_count,
    worked_ms / 1000.0 as worked_time_sec,
    busy_ms / 1000.0 as busy_time_sec,
    logged_in_ms / 1000.0 as logged_in_time_sec,
    on_queue_ms / 1000.0 as on_queue_time_sec,
    interacting_ms / 1000.0 as interacting_time_sec,
    idle_ms / 1000.0 as idle_time_sec,
    communicating_ms / 1000.0 as communicating_time_sec,
    status_not_responding_ms / 1000.0 as status_not_responding_time_sec,
    {measures},
    provisional,
    $basis as basis
from totals
left join agents on agents.id = agent_id
order by day, agent_name collate nocase.noaccent, agent_name, agent_id
