select partition, position, stream_id, stream_type, version, event_id, command_id, type, schema_version, payload,
       metadata, recorded_at
from events
where partition = $1 and stream_id = $2
order by version
