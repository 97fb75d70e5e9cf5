UPDATE reader_checkpoint
SET epoch = $5
WHERE reader = $1 AND reader_version = $2 AND log = $3 AND partition = $4 AND lease_epoch = $6
