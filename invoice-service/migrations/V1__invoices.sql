-- The read table of the log "invoices", written by its own reader; dropping it loses nothing.
-- The payload is the event's, with its personal fields still sealed, so that erasure reaches it too.
CREATE TABLE invoice (
    document_id    uuid        PRIMARY KEY,
    kind           text        NOT NULL CHECK (kind IN ('INVOICE', 'CREDIT_NOTE')),
    series         text        NOT NULL,
    version        bigint      NOT NULL,
    order_id       uuid        NOT NULL,
    customer_id    uuid,
    issued_at      timestamptz NOT NULL,
    schema_version smallint    NOT NULL,
    payload        bytea       NOT NULL,
    UNIQUE (series, version)
);
CREATE INDEX invoice_order ON invoice (order_id, issued_at, document_id);
CREATE INDEX invoice_issued ON invoice (issued_at DESC, document_id DESC);
CREATE INDEX invoice_customer ON invoice (customer_id, issued_at DESC, document_id DESC);
