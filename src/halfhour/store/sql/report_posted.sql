-- The posted figures that a report is about. A view has no parameters, so it reads variables of
-- the connection; null means all agents, queues or media types.
select *
from posted
where
    interval_start >= getvariable('report_start') and interval_start < getvariable('report_end')
    and (getvariable('agents') is null or list_contains(getvariable('agents'), agent_id))
    and (
        getvariable('queues') is null
        or list_has_any(string_split(queue_id, ','), getvariable('queues'))
    )
    and (getvariable('media') is null or list_contains(getvariable('media'), media_type))
