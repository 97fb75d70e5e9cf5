-- A second price for the very same moment replaces the first.
insert into price (product_id, currency, valid_from, amount)
values ($1, $2, $3, $4)
on conflict (product_id, currency, valid_from) do update set amount = excluded.amount
