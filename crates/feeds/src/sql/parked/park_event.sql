INSERT INTO parked_event (reader, reader_version, log, partition, position, stream_id)
VALUES ($1, $2, $3, $4, $5, $6)
