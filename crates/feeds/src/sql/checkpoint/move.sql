-- The commit does not wait for the disk: what a crash of the server takes back is taken back together with the rows or the
-- checkpoint of the same transaction, and is done again from the log, which was durable before it could be read.
WITH hurry AS MATERIALIZED (
    SELECT set_config('synchronous_commit', 'off', true) AS synchronous_commit
), step AS (
    SELECT * FROM unnest($3::text[], $4::uuid[], $5::int4[], $6::int8[], $7::int8[], $8::uuid[], $9::int8[])
        AS step (log, epoch, partition, old_position, new_position, event_id, lease_epoch)
), held AS (
    SELECT checkpoint.log, checkpoint.partition
    FROM reader_checkpoint AS checkpoint
    JOIN step ON step.log = checkpoint.log AND step.partition = checkpoint.partition
    WHERE checkpoint.reader = $1 AND checkpoint.reader_version = $2
    ORDER BY checkpoint.log, checkpoint.partition
    FOR UPDATE OF checkpoint
)
UPDATE reader_checkpoint AS checkpoint
SET position = step.new_position, event_id = coalesce(step.event_id, checkpoint.event_id),
    lease_until = clock_timestamp() + make_interval(secs => $10), moved_at = clock_timestamp()
FROM hurry, step JOIN held ON held.log = step.log AND held.partition = step.partition
WHERE hurry.synchronous_commit = 'off' AND checkpoint.reader = $1 AND checkpoint.reader_version = $2
  AND checkpoint.log = step.log AND checkpoint.epoch = step.epoch AND checkpoint.partition = step.partition
  AND checkpoint.position = step.old_position AND checkpoint.lease_epoch = step.lease_epoch
