-- All that is known of an agent and interval, one row each: the ground of every report.
-- Intervals of 15 minutes are paired from $origin on. Where something is null, Genesys
-- was not asked for it, or had nothing of it: then it is to be no_figures or no_details,
-- which are zero where it was asked. Sums are whole milliseconds, divided last.
with figured as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        sum(handle_ms) as handle_ms,
        sum(handle_count) as handle_count,
        sum(talk_ms) as talk_ms,
        sum(hold_ms) as hold_ms,
        sum(hold_ms) filter (media_type in ('chat', 'email', 'message'))
            as digital_hold_ms,
        sum(handle_ms) filter (queue_id is null) as no_queue_ms,
        sum(acw_ms) as acw_ms,
        sum(contacting_ms) as contacting_ms,
        sum(dialing_ms) as dialing_ms,
        sum(alert_ms) as alert_ms,
        sum(not_responding_ms) as not_responding_ms,
        sum(answered_count) as answered_count,
        sum(transferred_count) as transferred_count,
        true as is_known
    from figures
    group by all
),

-- A callback and the call it led to are both posted: the time that they have in common.
called_back as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        sum(handle_ms) as callback_voice_ms
    from callback_voice
    group by all
),

worked_on as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        sum(handle_ms) as worked_ms,
        sum(talk_ms) as worked_talk_ms,
        sum(hold_ms) as worked_hold_ms,
        sum(acw_ms) as worked_acw_ms
    from worked
    group by all
),

busied as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        sum(busy_ms) as busy_ms,
        bool_or(open) as is_open
    from busy
    group by all
),

watched as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        coalesce(sum(status_ms) filter (kind = 'presence' and status <> 'OFFLINE'), 0)
            as logged_in_ms,
        coalesce(sum(status_ms) filter (kind = 'presence' and status = 'ON_QUEUE'), 0)
            as on_queue_ms,
        coalesce(sum(status_ms) filter (kind = 'routing' and status = 'INTERACTING'), 0)
            as interacting_ms,
        coalesce(sum(status_ms) filter (kind = 'routing' and status = 'IDLE'), 0) as idle_ms,
        coalesce(sum(status_ms) filter (kind = 'routing' and status = 'COMMUNICATING'), 0)
            as communicating_ms,
        coalesce(sum(status_ms) filter (kind = 'routing' and status = 'NOT_RESPONDING'), 0)
            as status_not_responding_ms
    from status
    group by all
)

select
    *,
    interacting_ms + communicating_ms + idle_ms as available_ms,
    case when has_figures then 0 end as no_figures,
    case when has_details then 0 end as no_details,
    case when has_figures and not lacks_transfers then 0 end as no_transfers,
    -- What still went on when it was read is not certain, whatever the age of its day.
    time_bucket(interval 1 day, interval_start) in (from young) or coalesce(is_open, false)
        as provisional
from figured
full join called_back using (interval_start, agent_id)
full join worked_on using (interval_start, agent_id)
full join busied using (interval_start, agent_id)
full join watched using (interval_start, agent_id)
join calendar using (interval_start)
where
    is_known
    or callback_voice_ms is not null
    or worked_ms is not null
    or busy_ms is not null
    or logged_in_ms + interacting_ms + idle_ms > 0
