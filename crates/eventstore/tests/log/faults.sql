select
    (select count(*) from (
        select partition, count(*) as events, max(position) as last from events group by partition
    ) p where events <> last) as partitions_with_holes,
    (select count(*) from log_head h
        where position <> (select coalesce(max(position), 0) from events e where e.partition = h.partition)
    ) as heads_that_are_not_the_last_position,
    (select count(*) from (
        select stream_id, count(*) as events, max(version) as last, count(distinct partition) as partitions
        from events group by stream_id
    ) s where events <> last or partitions <> 1) as streams_with_holes,
    (select count(*) from (
        select recorded_at < lag(recorded_at) over (partition by partition order by position) as backwards from events
    ) t where backwards) as times_that_run_backwards,
    (select count(*) from (
        select version < lag(version) over (partition by stream_id order by position) as backwards from events
    ) v where backwards) as versions_out_of_order,
    (select count(*) from (
        select event_id from events group by event_id having count(*) > 1
    ) d) as events_stored_twice
