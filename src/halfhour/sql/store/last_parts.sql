-- The rows of a file that was read in parts: of each conversation those of the last.
select * exclude (part)
from read_parquet($path)
qualify part = max(part) over (partition by conversation_id)
