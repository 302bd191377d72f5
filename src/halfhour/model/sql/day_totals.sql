-- One row per {key}: the figures that the dashboard shows, added up over half-hours, and occupancy.
with half_hours as (
    {half_hours}
),

totals as (
    select
        {key},
        {day_totals},
        sum(interacting_ms) as interacting_ms,
        sum(available_ms) as available_ms
    from half_hours
    group by all
)

select
    {key},
    {day_columns},
    {occupancy}
from totals
order by {key}
