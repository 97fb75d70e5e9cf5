-- Where every reader of the schema on the search path stands.
select reader, reader_version, log, partition, position, epoch, event_id, stopped
from reader_checkpoint
order by reader, reader_version, log, partition
