insert into events (partition, position, stream_id, stream_type, version, event_id, command_id, type, schema_version,
                    payload, metadata, recorded_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
