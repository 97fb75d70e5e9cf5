-- What became of orders, told to others: one row for each change of an order's status, made from the event that caused it, as are the rows of
-- webhooks and e-mails below. Nothing reads `sequence` and `published_at` yet: a relay to a broker would take the rows that are not published
-- yet in that order.
CREATE TABLE notification (
    notification_id uuid        PRIMARY KEY,
    sequence        bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,
    type            text        NOT NULL,
    order_id        uuid        NOT NULL,
    -- The message as it is sent; ids and statuses only.
    message         text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    published_at    timestamptz
);
CREATE INDEX notification_unpublished ON notification (sequence) WHERE published_at IS NULL;
CREATE INDEX notification_by_age ON notification (created_at);

-- What seals secrets where OMS_KEY_ENCRYPTION_KEY is not set.
CREATE TABLE keys.local_encryption_key (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    key       bytea   NOT NULL CHECK (length(key) = 32)
);

CREATE TABLE webhook_endpoint (
    endpoint_id     uuid        PRIMARY KEY,
    url             text        NOT NULL,
    -- Types of notifications, `*` for all.
    events          text[]      NOT NULL,
    -- Sealed; the endpoint's id is the associated data.
    sealed_secret   bytea       NOT NULL,
    nonce           bytea       NOT NULL CHECK (length(nonce) = 24),
    sealed_with     text        NOT NULL,
    enabled         boolean     NOT NULL DEFAULT true,
    disabled_reason text,
    -- Since when no delivery succeeded although some were tried.
    failing_since   timestamptz,
    version         integer     NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One notification for one endpoint. next_at is when the next attempt may begin: a lease while one is under way.
CREATE TABLE webhook_delivery (
    delivery_id     uuid        PRIMARY KEY,
    endpoint_id     uuid        NOT NULL REFERENCES webhook_endpoint (endpoint_id) ON DELETE CASCADE,
    notification_id uuid        NOT NULL,
    type            text        NOT NULL,
    order_id        uuid        NOT NULL,
    body            text        NOT NULL,
    state           text        NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'DELIVERED', 'DEAD')),
    attempts        integer     NOT NULL DEFAULT 0,
    next_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease           uuid,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    completed_at    timestamptz,
    UNIQUE (endpoint_id, notification_id)
) WITH (fillfactor = 80);
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, next_at) WHERE state = 'PENDING';
CREATE INDEX webhook_delivery_newest ON webhook_delivery (endpoint_id, created_at, delivery_id);
CREATE INDEX webhook_delivery_completed ON webhook_delivery (completed_at) WHERE completed_at IS NOT NULL;

-- The log of attempts.
CREATE TABLE webhook_attempt (
    delivery_id  uuid        NOT NULL REFERENCES webhook_delivery (delivery_id) ON DELETE CASCADE,
    attempted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- None where no answer came.
    status_code  integer,
    duration_ms  integer     NOT NULL,
    error        text
);
CREATE INDEX webhook_attempt_by_delivery ON webhook_attempt (delivery_id, attempted_at);

-- E-mails to the customers of orders. No address is kept here: it is opened when the mail is sent. A row that is sent or dead stays as the log of it.
CREATE TABLE notification_delivery (
    notification_id uuid        PRIMARY KEY,
    kind            text        NOT NULL,
    order_id        uuid        NOT NULL,
    -- The order as of this version is what the mail is about.
    order_version   bigint      NOT NULL,
    state           text        NOT NULL DEFAULT 'PENDING' CHECK (state IN ('PENDING', 'SENT', 'SKIPPED', 'DEAD')),
    attempts        integer     NOT NULL DEFAULT 0,
    next_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    lease           uuid,
    last_error      text,
    created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    completed_at    timestamptz
) WITH (fillfactor = 80);
CREATE INDEX notification_delivery_due ON notification_delivery (next_at) WHERE state = 'PENDING';
CREATE INDEX notification_delivery_of_order ON notification_delivery (order_id);

-- Which order a shipment is of: carriers name the shipment alone.
CREATE TABLE shipment_order (
    shipment_id uuid PRIMARY KEY,
    order_id    uuid NOT NULL
);

-- What carriers sent that cannot be used, as it came: for people to look at.
CREATE TABLE tracking_dead_letter (
    dead_letter_id uuid        PRIMARY KEY,
    source         text        NOT NULL,
    body           bytea       NOT NULL,
    reason         text        NOT NULL,
    received_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
