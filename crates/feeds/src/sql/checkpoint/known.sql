SELECT count(*) FROM reader_checkpoint WHERE reader = $1 AND reader_version = $2 AND log = $3
