SELECT log, partition, position FROM reader_checkpoint
WHERE reader = $1 AND reader_version = $2
ORDER BY log, partition
FOR UPDATE
