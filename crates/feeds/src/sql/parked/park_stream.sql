INSERT INTO parked_stream (reader, reader_version, log, partition, stream_id, error)
VALUES ($1, $2, $3, $4, $5, $6)
