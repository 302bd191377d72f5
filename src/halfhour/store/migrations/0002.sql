-- The store of version 2: segments of conversation details, and time in each status.
create table segments (
    window_start timestamptz not null,
    conversation_id varchar not null,
    session_id varchar not null,
    agent_id varchar not null,
    queue_id varchar,
    media_type varchar,
    acd boolean not null,
    voice_of_callback boolean not null,
    segment_type varchar not null,
    start_ms bigint not null,
    end_ms bigint not null,
    open boolean not null
);

-- The values that the sessions of those conversations posted.
create table emitted (
    emitted_at timestamptz not null,
    conversation_id varchar not null,
    session_id varchar not null,
    agent_id varchar not null,
    queue_id varchar,
    media_type varchar,
    voice_of_callback boolean not null,
    metric varchar not null,
    value bigint not null
);

create table status (
    interval_start timestamptz not null,
    agent_id varchar not null,
    kind varchar not null,
    status varchar not null,
    status_ms bigint not null
);

create or replace view named as
select 'agent' as kind, agent_id as id from posted
union
select 'agent' as kind, agent_id as id from segments
union
select 'queue' as kind, unnest(string_split(queue_id, ',')) as id from posted
union
select 'queue' as kind, queue_id as id from segments where queue_id is not null;
