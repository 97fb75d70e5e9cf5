-- Orders that have a payment of a provider: theirs is the only money that is moved by us.
CREATE TABLE provider_order (
    order_id text PRIMARY KEY
);

-- The parts of refunds that a provider carries out. A part is settled before the provider is first asked, so that every
-- retry asks for the same.
CREATE TABLE refund_part (
    refund_id  uuid        NOT NULL,
    number     smallint    NOT NULL,
    order_id   uuid        NOT NULL,
    provider   text        NOT NULL,
    payment_id text        NOT NULL,
    amount     text        NOT NULL,
    currency   text        NOT NULL,
    state      text        NOT NULL DEFAULT 'PLANNED' CHECK (state IN ('PLANNED', 'ASKED', 'COMPLETED', 'FAILED')),
    reference  text,
    reason     text,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (refund_id, number)
);
CREATE INDEX refund_part_of_order ON refund_part (order_id, refund_id, number);

-- Webhooks with a good signature that no order could take, for a person to look at.
CREATE TABLE dead_webhook (
    provider    text        NOT NULL,
    webhook_id  text        NOT NULL,
    reason      text        NOT NULL,
    body        bytea       NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (provider, webhook_id)
);
