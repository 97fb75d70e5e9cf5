-- Order numbers for people. A process takes fifty at a time; gaps are allowed.
CREATE SEQUENCE order_number INCREMENT BY 50 START WITH 1;

-- The keys of sealed personal fields: one per customer, one per guest order, one per invoiced order.
-- Deleting a row is the erasure. The schema is apart so that its backups can be short-lived.
CREATE TABLE keys.personal_key (
    key_id     uuid        PRIMARY KEY,
    owner      text        NOT NULL UNIQUE,
    key        bytea       NOT NULL CHECK (octet_length(key) = 32),
    created_at timestamptz NOT NULL DEFAULT now()
);
