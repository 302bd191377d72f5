-- Posted figures, as revisions are told from them.
select
    *,
    null::varchar as status
from posted
where interval_start >= $start and interval_start < $end
