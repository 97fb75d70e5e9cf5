-- What customers are about to buy. Most of it is abandoned, so these are rows with a version and an end, not streams:
-- what matters is frozen into OrderPlaced. `order_id` is the order that a cart becomes; its first event decides.
CREATE TABLE cart (
    cart_id     uuid        PRIMARY KEY,
    customer_id uuid,
    currency    text        NOT NULL,
    lines       jsonb       NOT NULL DEFAULT '[]',
    order_id    uuid        NOT NULL,
    status      text        NOT NULL DEFAULT 'OPEN' CHECK (status IN ('OPEN', 'CHECKED_OUT', 'MERGED')),
    merged_into uuid,
    ordered_at  timestamptz,
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX cart_open_of_customer ON cart (customer_id) WHERE status = 'OPEN' AND customer_id IS NOT NULL;
CREATE INDEX cart_expires_at ON cart (expires_at);

-- A cart with prices that hold until `expires_at`. The address goes when the quote becomes an order, or with the row.
CREATE TABLE quote (
    quote_id         uuid        PRIMARY KEY,
    order_id         uuid        NOT NULL,
    cart_id          uuid,
    cart_version     bigint,
    customer_id      uuid,
    content          jsonb       NOT NULL,
    shipping_address jsonb,
    ordered_at       timestamptz,
    created_at       timestamptz NOT NULL DEFAULT now(),
    expires_at       timestamptz NOT NULL
);
CREATE INDEX quote_order_id ON quote (order_id);
CREATE INDEX quote_expires_at ON quote (expires_at) WHERE ordered_at IS NULL;
CREATE INDEX quote_ordered_at ON quote (ordered_at) WHERE ordered_at IS NOT NULL;

-- `written` is the value in the shop's own words: a number, a text or money.
CREATE TABLE discount (
    code               text        PRIMARY KEY,
    kind               text        NOT NULL CHECK (kind IN ('PERCENTAGE', 'FIXED', 'FREE_SHIPPING')),
    value              numeric     NOT NULL CHECK (value >= 0),
    currency           text,
    written            jsonb       NOT NULL,
    valid_from         timestamptz,
    valid_to           timestamptz,
    use_limit          bigint      CHECK (use_limit > 0),
    limit_per_customer bigint      CHECK (limit_per_customer > 0),
    version            bigint      NOT NULL DEFAULT 1,
    created_at         timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX discount_code_in_any_case ON discount (lower(code));

-- A use is claimed before the order is appended and counts from then on: until its order is known not to exist, or for
-- ever. `code` is in lower case. An order is attempted under one number per request, so a number names an attempt.
CREATE TABLE discount_use (
    code         text        NOT NULL,
    order_number text        NOT NULL,
    order_id     uuid        NOT NULL,
    customer     text,
    used         boolean     NOT NULL DEFAULT false,
    claimed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (code, order_number)
);
CREATE INDEX discount_use_of_order ON discount_use (order_id);
CREATE INDEX discount_use_of_customer ON discount_use (code, customer);
CREATE INDEX discount_use_claimed ON discount_use (claimed_at) WHERE NOT used;

-- The two lists that prices depend on, each replaced as a whole: shipping methods and tax rates.
CREATE TABLE price_table (
    name    text   PRIMARY KEY CHECK (name IN ('shipping-methods', 'tax-rates')),
    content jsonb  NOT NULL,
    version bigint NOT NULL DEFAULT 1
);
INSERT INTO price_table (name, content) VALUES
    ('shipping-methods', '[{"code": "standard", "name": "Standard shipping", "taxClass": "standard"}]'),
    ('tax-rates', '[]');
