-- The rows of a day in a file that was read in parts: of each conversation those of the last
-- part that had it, even if that says nothing of it.
select * exclude (part)
from incoming
where
    {column} >= $start and {column} < $end
    and (conversation_id, part) in (
        select conversation_id, max(part) from parts group by conversation_id
    )
