UPDATE parked_stream SET retry_requested = true
WHERE reader = $1 AND log = $2 AND stream_id = $3
