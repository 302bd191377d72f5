-- The times in each status that revisions compare, such as presence_on_queue_ms.
select
    interval_start,
    agent_id,
    null::varchar as queue_id,
    null::varchar as media_type,
    kind || '_' || lower(status) as status,
    status_ms as ms
from status
where interval_start >= $start and interval_start < $end
