select product_id, sku, name, status, version, partition, position, document
from product_view
where product_id = any($1)
