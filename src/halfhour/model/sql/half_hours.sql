-- One row per agent and interval of which anything is known: the basis of the reports by interval,
-- day and agent.
-- Intervals of 15 minutes are paired from $origin on. A sum is null where halfhour has not read
-- the source, or where Genesys had nothing; figures_zero, details_zero and transfers_zero tell
-- the two apart: they are zero where the source was read, else null.
-- Sums are whole milliseconds or counts; reports divide them last.
with figures_by_interval as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        {posted_sums},
        true as is_known
    from figures
    group by all
),

-- The time that a callback and the call it led to have in common, which is posted under both.
callback_voice_by_interval as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        sum(handle_ms) as callback_voice_ms
    from callback_voice
    group by all
),

worked_by_interval as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        {worked_sums}
    from worked
    group by all
),

busy_by_interval as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        sum(busy_ms) as busy_ms,
        bool_or(open) as is_open
    from busy
    group by all
),

status_by_interval as (
    select
        time_bucket(interval {minutes} minutes, interval_start, $origin::timestamptz) as interval_start,
        agent_id,
        {status_sums}
    from status_times
    group by all
)

select
    *,
    interacting_ms + communicating_ms + idle_ms as available_ms,
    case when has_figures then 0 end as figures_zero,
    case when has_details then 0 end as details_zero,
    case when has_figures and not lacks_transfers then 0 end as transfers_zero,
    -- Work that went on when halfhour read it is provisional, however old its day is.
    is_provisional or coalesce(is_open, false) as provisional
from figures_by_interval
full join callback_voice_by_interval using (interval_start, agent_id)
full join worked_by_interval using (interval_start, agent_id)
full join busy_by_interval using (interval_start, agent_id)
full join status_by_interval using (interval_start, agent_id)
join calendar using (interval_start)
where
    is_known
    or callback_voice_ms is not null
    or worked_ms is not null
    or busy_ms is not null
    or logged_in_ms + interacting_ms + idle_ms > 0
