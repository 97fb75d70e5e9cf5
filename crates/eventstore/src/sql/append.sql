-- The one INSERT of the log, and the answers to the claims of its commands: one statement, so that one error undoes
-- all of it, whatever was refused before it on the connection. `locked` locks the heads in ascending order, so writers
-- of several processes can't deadlock, and waits for whoever holds them; a row that changed meanwhile is read again in
-- its newest version (EvalPlanQual). `moved` updates those same newest versions, so positions continue where the last
-- commit left them. Nothing here reads `events`: what is there is judged by the unique keys, which see every commit.
with locked as materialized (
    select h.partition
    from log_head h
    where h.partition = any ($1::integer[])
    order by h.partition
    for update
), moved as (
    update log_head h
    set position = h.position + taken.count,
        last_recorded_at = greatest(clock_timestamp(), h.last_recorded_at)
    from locked
    join unnest($1::integer[], $2::bigint[]) as taken (partition, count) on taken.partition = locked.partition
    where h.partition = locked.partition
    returning h.partition, h.position - taken.count as base, h.last_recorded_at as recorded_at
), inserted as (
    insert into events (partition, position, stream_id, stream_type, version, event_id, command_id, type,
                        schema_version, payload, metadata, recorded_at)
    select e.partition, moved.base + e.ordinal, e.stream_id, e.stream_type, e.version, e.event_id, e.command_id,
           e.type, e.schema_version, e.payload, e.metadata, moved.recorded_at
    from unnest($3::integer[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::uuid[], $9::uuid[],
                $10::text[], $11::smallint[], $12::bytea[], $13::bytea[])
         as e (partition, ordinal, stream_id, stream_type, version, event_id, command_id, type, schema_version,
               payload, metadata)
    join moved on moved.partition = e.partition
), answered as materialized (
    -- After the heads, as everywhere.
    select answer_claims($14::bytea[], $15::uuid[], $16::smallint[], $17::text[], $18::bytea[], $19::text[])
    from (select count(*) from moved) as heads
    where cardinality($14::bytea[]) > 0
)
select partition, base, recorded_at, exists (select from answered) as answered from moved
