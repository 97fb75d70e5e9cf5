insert into events (partition, position, stream_id, stream_type, version, event_id, command_id, type, schema_version,
                    payload, metadata, recorded_at)
select *
from unnest($1::integer[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::uuid[], $8::text[],
            $9::smallint[], $10::bytea[], $11::bytea[], $12::timestamptz[])
