DELETE FROM parked_event
WHERE reader = $1 AND reader_version = $2 AND log = $3 AND partition = $4 AND position = ANY($5)
