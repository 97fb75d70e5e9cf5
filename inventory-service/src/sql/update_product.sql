update product
set sku = $2, name = $3, description = $4, tax_class = $5, channel = $6, legal_entity = $7, external_id = $8,
    attributes = $9, backorder = $10, low_stock_threshold = $11, status = $12, version = $13, updated_at = $14, images = $15
where id = $1
