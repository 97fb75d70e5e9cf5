WITH present AS (
    INSERT INTO reader_member (reader, reader_version, instance, alive_until)
    VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
    ON CONFLICT (reader, reader_version, instance) DO UPDATE SET alive_until = excluded.alive_until
), mine AS (
    SELECT log, partition FROM reader_checkpoint
    WHERE reader = $1 AND reader_version = $2 AND owner = $3
    ORDER BY log, partition
    FOR UPDATE
), renewed AS (
    UPDATE reader_checkpoint AS checkpoint
    SET lease_until = clock_timestamp() + make_interval(secs => $4)
    FROM mine
    WHERE checkpoint.reader = $1 AND checkpoint.reader_version = $2 AND checkpoint.owner = $3
      AND checkpoint.log = mine.log AND checkpoint.partition = mine.partition
    RETURNING checkpoint.log, checkpoint.epoch, checkpoint.partition, checkpoint.position, checkpoint.event_id,
              checkpoint.lease_epoch, checkpoint.stopped
)
SELECT log, epoch, partition, position, event_id, lease_epoch, stopped, true AS mine, false AS free FROM renewed
UNION ALL
SELECT log, epoch, partition, position, event_id, lease_epoch, stopped, false,
       owner IS NULL OR lease_until < clock_timestamp()
FROM reader_checkpoint AS other
WHERE reader = $1 AND reader_version = $2
  AND NOT EXISTS (SELECT FROM renewed WHERE renewed.log = other.log AND renewed.partition = other.partition)
