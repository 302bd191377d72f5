-- One row per {key} over the whole range: what can be told apart by queue and media type.
-- Status and the union of an agent's work cannot. A session of several queues
-- has a row of its own, with all of them, so that nothing counts twice.
with counted as (
    select *, null::bigint as worked_ms, null::bigint as callback_voice_ms from figures
    union all by name
    -- A callback and the call it led to are both posted: the time that they have in common.
    select interval_start, agent_id, queue_id, media_type, handle_ms as callback_voice_ms
    from callback_voice
    where handle_ms > 0
    union all by name
    select interval_start, agent_id, queue_id, media_type, handle_ms as worked_ms
    from worked
    where handle_ms > 0
),

asked as (
    select
        case when bool_or(has_figures) then 0 end as no_figures,
        case when bool_or(has_details) then 0 end as no_details,
        case when bool_or(has_figures) and not bool_or(lacks_transfers) then 0 end as no_transfers
    from calendar
),

totals as (
    select
        {key} as part,
        count(distinct agent_id) as agent_count,
        coalesce(sum(handle_ms), any_value(no_figures)) as handle_ms,
        coalesce(sum(handle_count), any_value(no_figures)) as handle_count,
        coalesce(sum(talk_ms), any_value(no_figures)) as talk_ms,
        coalesce(sum(hold_ms), any_value(no_figures)) as hold_ms,
        coalesce(sum(acw_ms), any_value(no_figures)) as acw_ms,
        coalesce(
            sum(hold_ms) filter (media_type in ('chat', 'email', 'message')),
            any_value(no_figures)
        ) as digital_hold_ms,
        coalesce(sum(handle_ms) filter (queue_id is null), any_value(no_figures))
            as no_queue_ms,
        coalesce(sum(callback_voice_ms), any_value(no_details)) as callback_voice_ms,
        coalesce(sum(answered_count), any_value(no_figures)) as answered_count,
        coalesce(sum(transferred_count), 0) + any_value(no_transfers) as transferred_count,
        coalesce(sum(worked_ms), any_value(no_details)) as worked_ms,
        bool_or(time_bucket(interval 1 day, interval_start) in (from young)) as provisional
    from counted
    cross join asked
    group by all
)

select
    {label},
    agent_count,
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
    {measures},
    provisional,
    $basis as basis
from totals
where agent_count > 0
order by handle_ms desc, worked_ms desc, part
