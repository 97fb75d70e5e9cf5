SELECT EXISTS (
    SELECT FROM parked_stream WHERE reader = $1 AND reader_version = $2 AND log = $3 AND stream_id = $4)
