-- The posted figures that revisions compare.
select
    *,
    null::varchar as status
from posted
where interval_start >= $start and interval_start < $end
