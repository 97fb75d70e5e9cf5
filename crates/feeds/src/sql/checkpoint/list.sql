SELECT reader, reader_version, log, epoch, partition, position,
       owner IS NOT NULL AND lease_until > clock_timestamp() AS held, stopped, moved_at
FROM reader_checkpoint
ORDER BY reader, reader_version, log, partition
