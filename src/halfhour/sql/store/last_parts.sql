-- The rows of a day in a file that was read in parts: of each conversation those of the last.
select * exclude (part)
from read_parquet($path)
where
    {column} >= $start and {column} < $end
    and (conversation_id, part) in (
        select conversation_id, max(part) from read_parquet($path) group by conversation_id
    )
