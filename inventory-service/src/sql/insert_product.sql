insert into product (id, sku, name, description, tax_class, channel, legal_entity, external_id, attributes, backorder,
                     low_stock_threshold, status, version, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
