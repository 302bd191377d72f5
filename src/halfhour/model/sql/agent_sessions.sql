-- The sessions of agents in the latest version of each conversation, from the tables `conversations`
-- and `sessions`: a conversation that was read twice counts as it came last.
with latest_records as (
    select max(record) as record
    from conversations
    where conversation_id is not null
    group by conversation_id
)

select
    sessions.*,
    conversations.conversation_id,
    conversations.ended_ms as conversation_end_ms,
    conversations.as_of_ms
from sessions
join conversations on conversations.record = sessions.record
join latest_records on latest_records.record = sessions.record
