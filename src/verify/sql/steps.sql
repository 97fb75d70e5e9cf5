-- Neighbours in a partition that do not follow each other: in position, or in time.
select partition, before, position, recorded_before, recorded_at
from (
    select partition, position, recorded_at,
           lag(position, 1, 0::bigint) over neighbours as before,
           lag(recorded_at) over neighbours as recorded_before
    from events
    window neighbours as (partition by partition order by position)
) step
where position <> before + 1 or recorded_at < recorded_before
order by partition, position
