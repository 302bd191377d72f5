-- The posted figures as the values in details add up to them, in intervals of $width milliseconds
-- since 1970: of the values that were emitted from $start_ms on and before $end_ms.
-- A value belongs whole to the interval that contains emitted_ms. A figure without values is null.
select
    emitted_ms // $width * $width as interval_ms,
    agent_id,
    queue_id,
    media_type,
    {rebuilt_columns}
from emitted
where emitted_ms >= $start_ms and emitted_ms < $end_ms
group by all
