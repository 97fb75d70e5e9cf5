DELETE FROM parked_event AS event
WHERE event.reader = $1 AND event.log = $2 AND event.stream_id = $3
  AND event.position = (
      SELECT min(first.position) FROM parked_event AS first
      WHERE first.reader = event.reader AND first.reader_version = event.reader_version
        AND first.log = event.log AND first.stream_id = event.stream_id)
