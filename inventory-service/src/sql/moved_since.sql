-- By how much what lies of a product at a location ($2) has changed since a moment ($3), up to a stock version ($4).
with step as (
    select stock_version, occurred_at, on_hand - lag(on_hand, 1, 0::bigint) over (order by stock_version) as change
    from stock_movement
    where product_id = $1 and location = $2 and stock_version <= $4
)
select coalesce(sum(change), 0)::bigint from step where occurred_at > $3
