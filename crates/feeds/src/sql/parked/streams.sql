SELECT log, stream_id FROM parked_stream
WHERE reader = $1 AND reader_version = $2 AND log = $3 AND partition = ANY($4)
