-- The indexes of one generation, made once it has caught up: rows are written several times as fast without them.
-- Keyset pages have one index per order that lists can have, and the commonest filters before the default one.
CREATE INDEX IF NOT EXISTS order_view_placed ON order_view (placed_at, order_id);
CREATE INDEX IF NOT EXISTS order_view_updated ON order_view (updated_at, order_id);
CREATE INDEX IF NOT EXISTS order_view_total ON order_view (total, order_id);
CREATE INDEX IF NOT EXISTS order_view_number ON order_view (number, order_id);
CREATE INDEX IF NOT EXISTS order_view_customer ON order_view (customer_id, placed_at, order_id) WHERE customer_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS order_view_status ON order_view (status, placed_at, order_id);
CREATE INDEX IF NOT EXISTS order_view_exception ON order_view (placed_at, order_id) WHERE open_exception;
CREATE INDEX IF NOT EXISTS order_view_tags ON order_view USING gin (tags);
CREATE INDEX IF NOT EXISTS order_view_products ON order_view USING gin (product_ids);
CREATE INDEX IF NOT EXISTS product_view_sku ON product_view (sku, product_id);
CREATE INDEX IF NOT EXISTS product_view_status ON product_view (status, sku, product_id);
CREATE INDEX IF NOT EXISTS invoice_view_number ON invoice_view (number);
CREATE INDEX IF NOT EXISTS invoice_view_order ON invoice_view (order_id, issued_at, number);

ANALYZE order_view, product_view, stock_view, invoice_view;
