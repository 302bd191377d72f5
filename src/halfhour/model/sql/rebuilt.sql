-- The posted figures as the values of conversation details add up to them.
select
    epoch_ms(emitted_at) // $width * $width as interval_ms,
    agent_id,
    queue_id,
    media_type,
    {emitted_columns}
from emitted
where emitted_at >= $start and emitted_at < $end
group by all
