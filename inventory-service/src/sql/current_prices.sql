select distinct on (product_id, currency) product_id, currency, amount
from price
where product_id = any ($1::uuid[]) and valid_from <= clock_timestamp()
order by product_id, currency, valid_from desc
