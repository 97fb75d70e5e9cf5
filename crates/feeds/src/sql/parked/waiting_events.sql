SELECT position FROM parked_event
WHERE reader = $1 AND reader_version = $2 AND log = $3 AND stream_id = $4
ORDER BY position
LIMIT $5
