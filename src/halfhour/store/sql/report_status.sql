-- The time in each status that a report is about, by the variables of `report_posted`.
select *
from status
where
    interval_start >= getvariable('report_start') and interval_start < getvariable('report_end')
    and (getvariable('agents') is null or list_contains(getvariable('agents'), agent_id))
