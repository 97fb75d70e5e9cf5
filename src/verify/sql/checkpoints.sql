-- How far a reader got; where a stream is parked, everything before its first event that waits.
select log, partition, position from reader_checkpoint where reader = $1 and reader_version = $2
