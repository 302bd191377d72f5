-- Posted figures, one row per half-hour and agent that anything was posted for.
-- The query covered the agent and the half-hour, so what it left out is zero.
-- Rows of 15 minutes are paired from :origin on; sums are whole milliseconds,
-- divided last.
with posted_half_hours as (
    select
        time_bucket(interval 30 minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        sum(handle_ms) as handle_ms,
        sum(handle_count) as handle_count,
        sum(talk_ms) as talk_ms,
        sum(hold_ms) as hold_ms,
        sum(acw_ms) as acw_ms,
        sum(contacting_ms) as contacting_ms,
        sum(dialing_ms) as dialing_ms,
        sum(alert_ms) as alert_ms,
        sum(not_responding_ms) as not_responding_ms,
        sum(answered_count) as answered_count
    from posted
    group by all
)

select
    interval_start,
    interval_start + interval 30 minutes as interval_end,
    agent_id,
    coalesce(agents.name, agent_id) as agent_name,
    coalesce(handle_ms, 0) / 1000.0 as handle_time_sec,
    coalesce(acw_ms, 0) / 1000.0 as acw_time_sec,
    coalesce(hold_ms, 0) / 1000.0 as hold_time_sec,
    coalesce(talk_ms, 0) / 1000.0 as talk_time_sec,
    coalesce(contacting_ms, 0) / 1000.0 as contacting_time_sec,
    coalesce(dialing_ms, 0) / 1000.0 as dialing_time_sec,
    coalesce(alert_ms, 0) / 1000.0 as alert_time_sec,
    coalesce(not_responding_ms, 0) / 1000.0 as not_responding_time_sec,
    coalesce(handle_count, 0) as handled_count,
    coalesce(answered_count, 0) as answered_count,
    coalesce(handle_ms, 0) > 1800000 as exceeds_interval,
    time_bucket(interval 1 day, interval_start) in (from young) as provisional,
    'posted' as basis
from posted_half_hours
left join agents on agents.id = agent_id
order by interval_start, agent_name collate nocase.noaccent, agent_name, agent_id
