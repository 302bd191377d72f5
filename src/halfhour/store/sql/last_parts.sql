-- The rows of a day from a file of several parts. Of each conversation only those of its last part
-- count, even if that part has no row of the day.
select * exclude (part)
from incoming
where
    {column} >= $start and {column} < $end
    and (conversation_id, part) in (
        select conversation_id, max(part) from parts group by conversation_id
    )
