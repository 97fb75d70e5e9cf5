select log, stream_id from parked_stream where reader = $1 and reader_version = $2
