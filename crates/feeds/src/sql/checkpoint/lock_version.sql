SELECT log, partition, position, epoch, stopped IS NOT NULL AS stands_still FROM reader_checkpoint
WHERE reader = $1 AND reader_version = $2
ORDER BY log, partition
FOR UPDATE
