select product_id, currency, valid_from, amount from inventory.price where product_id = any($1)
