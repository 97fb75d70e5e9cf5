select p.reader, p.reader_version, p.log, p.stream_id, p.error, p.attempts,
       (select count(*) from parked_event e
        where e.reader = p.reader and e.reader_version = p.reader_version and e.log = p.log
          and e.stream_id = p.stream_id)
from parked_stream p
order by p.parked_at
