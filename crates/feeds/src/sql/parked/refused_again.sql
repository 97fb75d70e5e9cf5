UPDATE parked_stream
SET error = $5, attempts = attempts + 1, retry_requested = false
WHERE reader = $1 AND reader_version = $2 AND log = $3 AND stream_id = $4
