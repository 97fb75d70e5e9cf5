select id, sku, name, description, tax_class, channel, legal_entity, external_id, attributes, backorder,
       low_stock_threshold, status, version, created_at, updated_at, images
from inventory.product
where id = any($1)
