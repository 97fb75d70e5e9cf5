DELETE FROM parked_stream AS stream
WHERE reader = $1 AND reader_version = $2 AND log = $3 AND stream_id = $4
  AND NOT EXISTS (
      SELECT FROM parked_event AS event
      WHERE event.reader = $1 AND event.reader_version = $2 AND event.log = $3 AND event.stream_id = $4)
