-- One row per interval and agent that anything is known of.
with half_hours as (
    {half_hours}
),

used as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        avg(used_percent) as used_percent
    from capacity
    group by all
)

select
    interval_start,
    interval_start + interval {minutes} minutes as interval_end,
    agent_id,
    coalesce(agents.name, agent_id) as agent_name,
    coalesce(handle_ms, no_figures) / 1000.0 as handle_time_sec,
    coalesce(acw_ms, no_figures) / 1000.0 as acw_time_sec,
    coalesce(hold_ms, no_figures) / 1000.0 as hold_time_sec,
    coalesce(talk_ms, no_figures) / 1000.0 as talk_time_sec,
    coalesce(contacting_ms, no_figures) / 1000.0 as contacting_time_sec,
    coalesce(dialing_ms, no_figures) / 1000.0 as dialing_time_sec,
    coalesce(alert_ms, no_figures) / 1000.0 as alert_time_sec,
    coalesce(not_responding_ms, no_figures) / 1000.0 as not_responding_time_sec,
    coalesce(digital_hold_ms, no_figures) / 1000.0 as digital_hold_time_sec,
    coalesce(no_queue_ms, no_figures) / 1000.0 as no_queue_time_sec,
    coalesce(callback_voice_ms, no_details) / 1000.0 as callback_voice_time_sec,
    coalesce(handle_count, no_figures) as handled_count,
    coalesce(answered_count, no_figures) as answered_count,
    coalesce(transferred_count, 0) + no_transfers as transferred_count,
    coalesce(handle_ms, no_figures) > {minutes} * 60000 as exceeds_interval,
    coalesce(worked_ms, no_details) / 1000.0 as worked_time_sec,
    coalesce(worked_talk_ms, no_details) / 1000.0 as worked_talk_time_sec,
    coalesce(worked_hold_ms, no_details) / 1000.0 as worked_hold_time_sec,
    coalesce(worked_acw_ms, no_details) / 1000.0 as worked_acw_time_sec,
    coalesce(busy_ms, no_details) / 1000.0 as busy_time_sec,
    logged_in_ms / 1000.0 as logged_in_time_sec,
    on_queue_ms / 1000.0 as on_queue_time_sec,
    interacting_ms / 1000.0 as interacting_time_sec,
    idle_ms / 1000.0 as idle_time_sec,
    communicating_ms / 1000.0 as communicating_time_sec,
    status_not_responding_ms / 1000.0 as status_not_responding_time_sec,
    {occupancy},
    round(used_percent, 1) as preview_capacity_used_percent,
    provisional,
    $basis as basis
from half_hours
left join used using (interval_start, agent_id)
left join agents on agents.id = agent_id
order by interval_start, agent_name collate nocase.noaccent, agent_name, agent_id
