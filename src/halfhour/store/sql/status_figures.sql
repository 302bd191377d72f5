-- Time in each status, as revisions are told from it: presence_on_queue_ms and the like.
select
    interval_start,
    agent_id,
    null::varchar as queue_id,
    null::varchar as media_type,
    kind || '_' || lower(status) as status,
    status_ms as ms
from status
where interval_start >= $start and interval_start < $end
