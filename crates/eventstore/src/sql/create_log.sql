with meta as (
    insert into log_meta (partitions, epoch) values ($1, gen_random_uuid())
    on conflict do nothing
    returning partitions
)
insert into log_head (partition)
select generate_series(0, meta.partitions - 1) from meta
