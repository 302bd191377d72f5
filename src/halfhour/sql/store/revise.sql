-- What the rows of a window that was read again, `incoming`, change in those held.
-- Only of intervals before $known_end, up to which the window was held.
insert into revisions
with old as (
    select * from posted
    where interval_start >= $window_start and interval_start < $known_end
),

new as (
    select * from old where false
    union all by name
    select * from incoming
    where interval_start < $known_end
),

-- Most rows are as they were, so they are left out before rows are taken apart.
held as (
    unpivot (select * from old except select * from new)
    on columns(* exclude (interval_start, agent_id, queue_id, media_type))
    into name column_name value amount
),

read_now as (
    unpivot (select * from new except select * from old)
    on columns(* exclude (interval_start, agent_id, queue_id, media_type))
    into name column_name value amount
)

select
    'posted',
    $read_at,
    coalesce(held.interval_start, read_now.interval_start),
    coalesce(held.agent_id, read_now.agent_id),
    coalesce(held.queue_id, read_now.queue_id),
    coalesce(held.media_type, read_now.media_type),
    coalesce(held.column_name, read_now.column_name),
    held.amount,
    read_now.amount
from held
full outer join read_now
    on held.interval_start = read_now.interval_start
    and held.agent_id = read_now.agent_id
    and held.queue_id is not distinct from read_now.queue_id
    and held.media_type is not distinct from read_now.media_type
    and held.column_name = read_now.column_name
where held.amount is distinct from read_now.amount
