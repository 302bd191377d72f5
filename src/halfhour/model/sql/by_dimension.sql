-- One row per {key} over the whole range, with the figures that a queue and a media type have.
-- Status and busy time have neither. A session of several queues has a row of its own under all
-- of them, so nothing counts twice.
with figure_rows as (
    select
        *,
        {rule_columns}
    from figures
    union all by name
    -- The time that a callback and the call it led to have in common, which is posted under both.
    select interval_start, agent_id, queue_id, media_type, handle_ms as callback_voice_ms
    from callback_voice
    where handle_ms > 0
    union all by name
    select
        interval_start,
        agent_id,
        queue_id,
        media_type,
        {dimension_worked_columns}
    from worked
    where handle_ms > 0
),

provisional_days as (
    select time_bucket(interval 1 day, interval_start)
    from calendar
    where is_provisional
),

zeros as (
    select
        case when bool_or(has_figures) then 0 end as figures_zero,
        case when bool_or(has_details) then 0 end as details_zero,
        case when bool_or(has_figures) and not bool_or(lacks_transfers) then 0 end
            as transfers_zero
    from calendar
),

totals as (
    select
        {key} as dimension,
        count(distinct agent_id) as agent_count,
        {dimension_totals},
        bool_or(time_bucket(interval 1 day, interval_start) in (from provisional_days))
            as provisional
    from figure_rows
    cross join zeros
    group by all
)

select
    {label},
    agent_count,
    {dimension_columns},
    {dimension_measures},
    provisional,
    $basis as basis
from totals
where agent_count > 0
order by handle_ms desc, worked_ms desc, dimension
