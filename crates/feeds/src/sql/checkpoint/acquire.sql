WITH free AS (
    SELECT log, partition FROM reader_checkpoint
    WHERE reader = $1 AND reader_version = $2 AND (owner IS NULL OR lease_until < clock_timestamp())
    ORDER BY log, partition
    LIMIT $4
    FOR UPDATE SKIP LOCKED
)
UPDATE reader_checkpoint AS checkpoint
SET owner = $3, lease_epoch = checkpoint.lease_epoch + 1,
    lease_until = clock_timestamp() + make_interval(secs => $5), stopped = NULL
FROM free
WHERE checkpoint.reader = $1 AND checkpoint.reader_version = $2
  AND checkpoint.log = free.log AND checkpoint.partition = free.partition
RETURNING checkpoint.log, checkpoint.epoch, checkpoint.partition, checkpoint.position, checkpoint.event_id,
          checkpoint.lease_epoch, checkpoint.stopped
