-- Record the figures that reading a window again has changed, from the tables `before` and `after`.
insert into revisions
with
-- Rows without a change, which are most rows, are left out before the unpivot.
old as (
    unpivot (select * from before except select * from after)
    on columns(* exclude (interval_start, agent_id, queue_id, media_type, status))
    into name column_name value amount
),

new as (
    unpivot (select * from after except select * from before)
    on columns(* exclude (interval_start, agent_id, queue_id, media_type, status))
    into name column_name value amount
)

select
    $source,
    $read_at,
    coalesce(old.interval_start, new.interval_start),
    coalesce(old.agent_id, new.agent_id),
    coalesce(old.queue_id, new.queue_id),
    coalesce(old.media_type, new.media_type),
    concat_ws('_', coalesce(old.status, new.status), coalesce(old.column_name, new.column_name)),
    old.amount,
    new.amount
from old
full outer join new
    on old.interval_start = new.interval_start
    and old.agent_id = new.agent_id
    and old.queue_id is not distinct from new.queue_id
    and old.media_type is not distinct from new.media_type
    and old.status is not distinct from new.status
    and old.column_name = new.column_name
where
    old.amount is distinct from new.amount
    -- Status is read only for agents with activity, so an agent who is new here is no revision.
    and ($source <> 'status' or new.agent_id is null or new.agent_id in (select agent_id from before))
    -- Transfers that were not read before are no revision either.
    and (
        new.column_name is distinct from 'transferred_count'
        or $start in (select window_start from settled where source = $source and has_transfers)
    )
