-- The log of one service: a table of events, a head per partition, and what was fixed when it was created.

create table log_meta (
    only_row   boolean     primary key default true check (only_row),
    partitions integer     not null check (partitions > 0),
    epoch      uuid        not null,
    created_at timestamptz not null default clock_timestamp()
);

-- Every append updates its partition's row; the free space keeps those updates on the page (HOT).
create table log_head (
    partition        integer     primary key check (partition >= 0),
    position         bigint      not null default 0 check (position >= 0),
    last_recorded_at timestamptz not null default 'epoch'
) with (fillfactor = 10);

create table events (
    partition      integer     not null,
    position       bigint      not null check (position > 0),
    stream_id      text        not null,
    stream_type    text        not null,
    version        bigint      not null check (version > 0),
    event_id       uuid        not null,
    command_id     uuid,
    type           text        not null,
    schema_version smallint    not null,
    payload        bytea       not null,
    metadata       bytea       not null,
    recorded_at    timestamptz not null,
    constraint events_pkey primary key (partition, position),
    constraint events_stream_version_key unique (partition, stream_id, version)
);

create unique index events_stream_command_key on events (partition, stream_id, command_id)
    where command_id is not null;

create function refuse_change_of_events() returns trigger language plpgsql as $$
begin
    raise exception 'events are append-only: % is refused', tg_op using errcode = 'OM002';
end
$$;

create trigger events_are_append_only before update or delete on events
    for each statement execute function refuse_change_of_events();
create trigger events_are_not_truncated before truncate on events
    for each statement execute function refuse_change_of_events();
-- Always: also where session_replication_role is replica.
alter table events enable always trigger events_are_append_only;
alter table events enable always trigger events_are_not_truncated;

-- For people and SQL tools; the software reads the bytes.
create view event_log as
select partition, position, stream_id, stream_type, version, event_id, command_id, type, schema_version,
       convert_from(payload, 'UTF8')::jsonb as payload,
       convert_from(metadata, 'UTF8')::jsonb as metadata,
       recorded_at
from events;
