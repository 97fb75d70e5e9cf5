select partition
from log_head
where partition = any ($1::integer[])
order by partition
for update
