-- How long agents worked, and on what, in each interval.
with segment_slices as (
    {segment_slices}
)

select
    interval_ms,
    agent_id,
    queue_id,
    media_type,
    {worked_columns}
from segment_slices
group by all
