-- The store of version 1. Times are UTC, durations whole milliseconds, intervals half-open.
create table settings (name varchar primary key, value varchar not null);

-- Posted basis: one row per interval, agent, queue and media type. No key:
-- a window's rows are replaced whole, and an index would cost more than it guards.
create table posted (
    interval_start timestamptz not null,
    agent_id varchar not null,
    queue_id varchar,
    media_type varchar,
    handle_ms bigint,
    handle_count bigint,
    talk_ms bigint,
    hold_ms bigint,
    hold_count bigint,
    acw_ms bigint,
    acw_count bigint,
    contacting_ms bigint,
    dialing_ms bigint,
    alert_ms bigint,
    not_responding_ms bigint,
    not_responding_count bigint,
    answered_count bigint
);

-- The stored windows: written in the transaction that replaces their rows.
create table settled (
    source varchar not null,
    window_start timestamptz not null,
    window_end timestamptz not null,
    read_at timestamptz not null,
    row_count bigint not null
);

-- The figures that reading a window again has changed; null means absent before or after.
create table revisions (
    source varchar not null,
    read_at timestamptz not null,
    interval_start timestamptz not null,
    agent_id varchar not null,
    queue_id varchar,
    media_type varchar,
    column_name varchar not null,
    old_value bigint,
    new_value bigint
);

-- Names of agents and queues at read_at; null if the directory has no such id.
create table names (
    kind varchar not null, id varchar not null, name varchar, read_at timestamptz not null
);

-- The ids of agents and queues that need a name.
create view named as
select 'agent' as kind, agent_id as id from posted
union
select 'queue' as kind, unnest(string_split(queue_id, ',')) as id from posted;
