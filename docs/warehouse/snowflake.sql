-- Views of a loaded store that answer the common questions, for Snowflake.
-- Run it after the first `halfhour load`; put the name of your schema in the place of halfhour.
-- Times are seconds, days and intervals are UTC, and every view has a row's organisation.

-- What did each agent do in each interval?
create or replace view halfhour.agent_intervals as
with posted_sums as (
    select
        organization_id,
        interval_start,
        agent_id,
        sum(handle_count) as handled_count,
        sum(answered_count) as answered_count,
        sum(transferred_count) as transferred_count,
        sum(handle_ms) as handle_ms,
        sum(talk_ms) as talk_ms,
        sum(hold_ms) as hold_ms,
        sum(acw_ms) as acw_ms
    from halfhour.posted
    group by organization_id, interval_start, agent_id
),

worked_sums as (
    select organization_id, interval_start, agent_id, sum(handle_ms) as worked_ms
    from halfhour.worked
    group by organization_id, interval_start, agent_id
),

status_sums as (
    select
        organization_id,
        interval_start,
        agent_id,
        sum(case when kind = 'presence' and status <> 'OFFLINE' then status_ms else 0 end)
            as logged_in_ms,
        sum(case when kind = 'presence' and status = 'ON_QUEUE' then status_ms else 0 end)
            as on_queue_ms,
        sum(case when kind = 'routing' and status = 'INTERACTING' then status_ms else 0 end)
            as interacting_ms,
        sum(case when kind = 'routing' and status = 'COMMUNICATING' then status_ms else 0 end)
            as communicating_ms,
        sum(case when kind = 'routing' and status = 'IDLE' then status_ms else 0 end) as idle_ms
    from halfhour.status
    group by organization_id, interval_start, agent_id
),

agent_keys as (
    select organization_id, interval_start, agent_id from posted_sums
    union
    select organization_id, interval_start, agent_id from worked_sums
    union
    select organization_id, interval_start, agent_id from status_sums
)

select
    agent_keys.organization_id,
    agent_keys.interval_start,
    agent_keys.agent_id,
    coalesce(agents.agent_name, agent_keys.agent_id) as agent_name,
    agents.division,
    agents.team,
    coalesce(posted_sums.handled_count, 0) as handled_count,
    coalesce(posted_sums.answered_count, 0) as answered_count,
    posted_sums.transferred_count,
    coalesce(posted_sums.handle_ms, 0) / 1000.0 as handle_time_sec,
    coalesce(posted_sums.talk_ms, 0) / 1000.0 as talk_time_sec,
    coalesce(posted_sums.hold_ms, 0) / 1000.0 as hold_time_sec,
    coalesce(posted_sums.acw_ms, 0) / 1000.0 as acw_time_sec,
    coalesce(worked_sums.worked_ms, 0) / 1000.0 as worked_time_sec,
    coalesce(busy.busy_ms, 0) / 1000.0 as busy_time_sec,
    status_sums.logged_in_ms / 1000.0 as logged_in_time_sec,
    status_sums.on_queue_ms / 1000.0 as on_queue_time_sec,
    status_sums.interacting_ms / 1000.0 as interacting_time_sec,
    status_sums.communicating_ms / 1000.0 as communicating_time_sec,
    status_sums.idle_ms / 1000.0 as idle_time_sec
from agent_keys
left join posted_sums
    on posted_sums.organization_id = agent_keys.organization_id
    and posted_sums.interval_start = agent_keys.interval_start
    and posted_sums.agent_id = agent_keys.agent_id
left join worked_sums
    on worked_sums.organization_id = agent_keys.organization_id
    and worked_sums.interval_start = agent_keys.interval_start
    and worked_sums.agent_id = agent_keys.agent_id
left join halfhour.busy as busy
    on busy.organization_id = agent_keys.organization_id
    and busy.interval_start = agent_keys.interval_start
    and busy.agent_id = agent_keys.agent_id
left join status_sums
    on status_sums.organization_id = agent_keys.organization_id
    and status_sums.interval_start = agent_keys.interval_start
    and status_sums.agent_id = agent_keys.agent_id
left join halfhour.agents as agents
    on agents.organization_id = agent_keys.organization_id
    and agents.agent_id = agent_keys.agent_id;

-- What did each agent do on each day, and how long did an interaction take on average?
create or replace view halfhour.agent_days as
select
    organization_id,
    cast(convert_timezone('UTC', interval_start) as date) as day,
    agent_id,
    agent_name,
    division,
    team,
    sum(handled_count) as handled_count,
    sum(answered_count) as answered_count,
    sum(transferred_count) as transferred_count,
    sum(handle_time_sec) as handle_time_sec,
    sum(talk_time_sec) as talk_time_sec,
    sum(hold_time_sec) as hold_time_sec,
    sum(acw_time_sec) as acw_time_sec,
    sum(worked_time_sec) as worked_time_sec,
    sum(busy_time_sec) as busy_time_sec,
    sum(logged_in_time_sec) as logged_in_time_sec,
    sum(on_queue_time_sec) as on_queue_time_sec,
    sum(handle_time_sec) / nullif(sum(handled_count), 0) as aht_sec,
    sum(interacting_time_sec)
    / nullif(sum(interacting_time_sec + communicating_time_sec + idle_time_sec), 0)
        as occupancy_ratio
from halfhour.agent_intervals
group by
    organization_id,
    cast(convert_timezone('UTC', interval_start) as date),
    agent_id,
    agent_name,
    division,
    team;

-- How much work had each queue in each interval? A session of several queues has a row of its own.
create or replace view halfhour.queue_intervals as
select
    posted.organization_id,
    posted.interval_start,
    posted.queue_id,
    coalesce(queues.queue_name, posted.queue_id) as queue_name,
    posted.media_type,
    count(distinct posted.agent_id) as agent_count,
    coalesce(sum(posted.handle_count), 0) as handled_count,
    coalesce(sum(posted.answered_count), 0) as answered_count,
    coalesce(sum(posted.handle_ms), 0) / 1000.0 as handle_time_sec,
    coalesce(sum(posted.acw_ms), 0) / 1000.0 as acw_time_sec,
    coalesce(sum(posted.hold_ms), 0) / 1000.0 as hold_time_sec,
    sum(posted.handle_ms) / 1000.0 / nullif(sum(posted.handle_count), 0) as aht_sec
from halfhour.posted as posted
left join halfhour.queues as queues
    on queues.organization_id = posted.organization_id
    and queues.queue_id = posted.queue_id
where posted.queue_id is not null
group by
    posted.organization_id,
    posted.interval_start,
    posted.queue_id,
    coalesce(queues.queue_name, posted.queue_id),
    posted.media_type;

-- What has Genesys corrected since it was first read?
create or replace view halfhour.corrections as
select
    revisions.organization_id,
    revisions.read_at,
    revisions.source,
    revisions.interval_start,
    revisions.agent_id,
    coalesce(agents.agent_name, revisions.agent_id) as agent_name,
    revisions.queue_id,
    revisions.media_type,
    revisions.column_name,
    revisions.old_value,
    revisions.new_value
from halfhour.revisions as revisions
left join halfhour.agents as agents
    on agents.organization_id = revisions.organization_id
    and agents.agent_id = revisions.agent_id;

-- Up to when is each source loaded, and how fresh is it?
create or replace view halfhour.freshness as
select
    organization_id,
    organization_name,
    source,
    min(window_start) as first_loaded,
    max(window_end) as loaded_until,
    count(*) as day_count,
    max(read_at) as last_read_at,
    max(loaded_at) as last_loaded_at,
    sum(row_count) as row_count
from halfhour.ledger
where window_start is not null
group by organization_id, organization_name, source;
