-- The days of the table `days` to which each record of `latest_records` with agents belongs, and
-- each that cannot be read: those from its first to its last time. A record without any time may
-- belong to every day.
select
    days.start_ms,
    record
from record_spans
join days
    on first_ms is null
    or (
        first_ms < days.start_ms + {day_ms}
        and greatest(last_ms, open_until_ms - 1) >= days.start_ms
    )
where
    record in (select record from agent_sessions)
    or record in (select record from conversations where not is_readable)
