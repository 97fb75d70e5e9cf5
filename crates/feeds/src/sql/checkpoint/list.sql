SELECT reader, reader_version, log, epoch, partition, position,
       CASE WHEN lease_until > clock_timestamp() THEN owner END AS holder, stopped, moved_at
FROM reader_checkpoint
ORDER BY reader, reader_version, log, partition
