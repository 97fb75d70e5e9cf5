SELECT log, partition, stream_id FROM parked_stream
WHERE reader = $1 AND reader_version = $2 AND retry_requested AND log = $3 AND partition = ANY($4)
ORDER BY parked_at
LIMIT 1
