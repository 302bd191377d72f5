-- The segments of one agent that overlap an interval. A segment has a row in each window that it
-- has a part in, so a long one comes twice.
select distinct
    conversation_id,
    media_type,
    segment_type,
    start_ms,
    end_ms,
    open,
    coalesce(names.name, queue_id) as queue
from segments
left join names on names.kind = 'queue' and names.id = queue_id
where
    window_start >= $first and window_start < $last
    and agent_id = $agent
    and start_ms < $end and end_ms > $start
order by start_ms, end_ms, conversation_id
