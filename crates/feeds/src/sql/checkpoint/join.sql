INSERT INTO reader_member (reader, reader_version, alive_until)
VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
RETURNING instance
