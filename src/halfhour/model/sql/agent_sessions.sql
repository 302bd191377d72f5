-- The sessions of agents in `latest_records`, with what their conversation says of them.
select
    sessions.*,
    conversations.conversation_id,
    conversations.ended_ms as conversation_end_ms,
    conversations.as_of_ms
from sessions
join conversations on conversations.record = sessions.record
join latest_records on latest_records.record = sessions.record
