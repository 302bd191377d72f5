-- Worked time: the figures of details that revisions compare.
select
    *,
    null::varchar as status
from ({worked})
