INSERT INTO reader_checkpoint (reader, reader_version, log, epoch, partition, position, event_id)
SELECT $1, $2, $3, $4, start.partition, start.position, start.event_id
FROM unnest($5::int4[], $6::int8[], $7::uuid[]) AS start (partition, position, event_id)
ORDER BY start.partition
ON CONFLICT DO NOTHING
