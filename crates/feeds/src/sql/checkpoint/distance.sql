SELECT coalesce(sum(greatest(ahead.position - coalesce(behind.position, 0), 0)), 0)::bigint
FROM reader_checkpoint AS ahead
LEFT JOIN reader_checkpoint AS behind
       ON behind.reader = ahead.reader AND behind.reader_version = $3 AND behind.log = ahead.log
      AND behind.partition = ahead.partition
WHERE ahead.reader = $1 AND ahead.reader_version = $2 AND ahead.stopped IS NULL
  AND (behind.epoch IS NULL OR behind.epoch = ahead.epoch)
