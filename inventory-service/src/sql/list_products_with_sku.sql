-- Apart from the list of all: its plan is kept, and would not find the one row by its sku.
select id, sku, name, description, tax_class, channel, legal_entity, external_id, attributes, backorder,
       low_stock_threshold, status, version, created_at, updated_at, images
from product
where status = 'ACTIVE'
  and id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
  and ($2::text is null or name ilike $2 or sku ilike $2 or description ilike $2)
  and sku = $4
order by id
limit $3
