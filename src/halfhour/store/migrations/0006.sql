-- The store of version 6: what Genesys said in conversation details, by window, from which the
-- segments and the emitted values follow. Windows of earlier versions lack it.
create table conversations (
    window_start timestamptz not null,
    record bigint not null,
    conversation_id varchar,
    started_ms bigint,
    ended_ms bigint,
    as_of_ms bigint not null,
    is_readable boolean not null,
    reason varchar
);

create table sessions (
    window_start timestamptz not null,
    session_key bigint not null,
    record bigint not null,
    session_id varchar not null,
    agent_id varchar not null,
    acd boolean not null,
    media_type varchar,
    direction varchar
);

create table raw_segments (
    window_start timestamptz not null,
    session_key bigint not null,
    position bigint not null,
    segment_type varchar not null,
    queue_id varchar,
    start_ms bigint,
    end_ms bigint
);

create table session_metrics (
    window_start timestamptz not null,
    session_key bigint not null,
    position bigint not null,
    metric varchar,
    value bigint,
    emit_ms bigint
);

alter table settled add column has_raw boolean default false;
