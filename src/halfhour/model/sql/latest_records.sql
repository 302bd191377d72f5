-- The records that count: the last one of each conversation in the table `conversations`, and each
-- whose conversation is not known.
select max(record) as record
from conversations
where conversation_id is not null
group by conversation_id
union all
select record
from conversations
where conversation_id is null
