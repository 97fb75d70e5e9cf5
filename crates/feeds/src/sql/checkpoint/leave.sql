WITH gone AS (
    DELETE FROM reader_member
    WHERE reader = $1 AND reader_version = $2 AND (instance = $3 OR alive_until < clock_timestamp() - interval '1 hour')
), mine AS (
    SELECT log, partition FROM reader_checkpoint
    WHERE reader = $1 AND reader_version = $2 AND owner = $3
    ORDER BY log, partition
    FOR UPDATE
)
UPDATE reader_checkpoint AS checkpoint
SET owner = NULL, lease_until = '-infinity'
FROM mine
WHERE checkpoint.reader = $1 AND checkpoint.reader_version = $2 AND checkpoint.owner = $3
  AND checkpoint.log = mine.log AND checkpoint.partition = mine.partition
