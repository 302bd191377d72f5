-- Worked time: the figures of details that revisions compare.
select
    make_timestamptz(interval_ms * 1000) as interval_start,
    * exclude (interval_ms),
    null::varchar as status
from ({worked})
