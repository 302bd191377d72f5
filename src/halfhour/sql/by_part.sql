-- One row per {key} over the whole range: what can be told apart by queue and media type.
-- Status and the union of an agent's work cannot. A session of several queues
-- has a row of its own, with all of them, so that nothing counts twice.
with counted as (
    select *, 1 as times from figures
    union all by name
    -- The call that a callback led to is posted under voice too: once is enough.
    select *, -1 as times from legs
),

posted_there as (
    select
        {key} as part,
        count(distinct agent_id) as agent_count,
        sum(times * handle_ms)::bigint as handle_ms,
        sum(times * handle_count)::bigint as handle_count,
        sum(times * talk_ms)::bigint as talk_ms,
        sum(times * hold_ms)::bigint as hold_ms,
        sum(times * acw_ms)::bigint as acw_ms,
        sum(times * answered_count)::bigint as answered_count,
        bool_or(time_bucket(interval 1 day, interval_start) in (from young)) as provisional
    from counted
    group by all
),

worked_there as (
    select
        {key} as part,
        sum(handle_ms)::bigint as worked_ms
    from worked
    group by all
),

totals as (
    select
        coalesce(posted_there.part, worked_there.part) as part,
        coalesce(agent_count, 0) as agent_count,
        coalesce(handle_ms, 0) as handle_ms,
        coalesce(handle_count, 0) as handle_count,
        coalesce(talk_ms, 0) as talk_ms,
        coalesce(hold_ms, 0) as hold_ms,
        coalesce(acw_ms, 0) as acw_ms,
        coalesce(answered_count, 0) as answered_count,
        coalesce(worked_ms, 0) as worked_ms,
        coalesce(provisional, false) as provisional
    from posted_there
    full join worked_there on posted_there.part is not distinct from worked_there.part
)

select
    {label},
    agent_count,
    handle_ms / 1000.0 as handle_time_sec,
    acw_ms / 1000.0 as acw_time_sec,
    hold_ms / 1000.0 as hold_time_sec,
    talk_ms / 1000.0 as talk_time_sec,
    handle_count as handled_count,
    answered_count,
    worked_ms / 1000.0 as worked_time_sec,
    {measures},
    provisional,
    $basis as basis
from totals
where agent_count > 0 or worked_ms > 0
order by handle_ms desc, worked_ms desc, part
