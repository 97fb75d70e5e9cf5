SELECT stream.reader, stream.reader_version, stream.log, stream.partition, stream.stream_id, stream.error,
       stream.attempts, stream.retry_requested, stream.parked_at, min(event.position), count(event.position)
FROM parked_stream AS stream
LEFT JOIN parked_event AS event USING (reader, reader_version, log, stream_id)
WHERE $1::text IS NULL OR stream.reader = $1
GROUP BY stream.reader, stream.reader_version, stream.log, stream.stream_id
ORDER BY stream.reader, stream.reader_version, stream.parked_at
