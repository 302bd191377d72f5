-- Worked time, as revisions are told from it.
select
    make_timestamptz(interval_ms * 1000) as interval_start,
    * exclude (interval_ms),
    null::varchar as status
from ({worked})
