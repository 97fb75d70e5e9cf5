UPDATE reader_checkpoint
SET owner = NULL, lease_until = '-infinity'
WHERE reader = $1 AND reader_version = $2 AND owner = $3 AND log = $4 AND partition = $5
