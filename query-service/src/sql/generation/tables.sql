-- The read tables of one generation. Nothing is lost with them: they are rebuilt from the logs. Whoever changes them, or
-- what is written to them, counts `projectors::SHAPE` up.
-- Every row has one source stream and the version it has seen, so a page delivered twice changes nothing. There are no
-- foreign keys and no unique keys across streams: rows of different partitions arrive in any order.

CREATE TABLE order_view (
    order_id          uuid        PRIMARY KEY,
    number            text        NOT NULL COLLATE "C",
    customer_id       uuid,
    status            text        NOT NULL,
    payment_status    text        NOT NULL,
    fulfilment_status text        NOT NULL,
    currency          text        NOT NULL,
    total             numeric     NOT NULL,
    placed_at         timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    open_exception    boolean     NOT NULL,
    tags              text[]      NOT NULL,
    product_ids       uuid[]      NOT NULL,
    version           bigint      NOT NULL,
    partition         integer     NOT NULL,
    position          bigint      NOT NULL,
    state             json        NOT NULL
);

COMMENT ON COLUMN order_view.state IS 'the folded aggregate; personal fields in clear, null once erased';

CREATE TABLE product_view (
    product_id uuid    PRIMARY KEY,
    sku        text    NOT NULL COLLATE "C",
    name       text    NOT NULL,
    status     text    NOT NULL,
    version    bigint  NOT NULL,
    partition  integer NOT NULL,
    position   bigint  NOT NULL,
    document   json    NOT NULL
);

-- Fed by every stream that moves stock: the levels are absolute, the highest stock_version is the truth.
CREATE TABLE stock_view (
    product_id    uuid        NOT NULL,
    location      text        NOT NULL COLLATE "C",
    on_hand       bigint      NOT NULL,
    reserved      bigint      NOT NULL,
    stock_version bigint      NOT NULL,
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (product_id, location)
);

CREATE TABLE invoice_view (
    document_id uuid        PRIMARY KEY,
    kind        text        NOT NULL,
    number      text        NOT NULL COLLATE "C",
    order_id    uuid        NOT NULL,
    customer_id uuid,
    issued_at   timestamptz NOT NULL,
    version     bigint      NOT NULL,
    partition   integer     NOT NULL,
    position    bigint      NOT NULL,
    document    json        NOT NULL
);

-- Documents longer than two kilobytes are stored compressed; lz4, where the server has it, costs a fraction of pglz.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE order_view ALTER COLUMN state SET COMPRESSION lz4;
        ALTER TABLE product_view ALTER COLUMN document SET COMPRESSION lz4;
        ALTER TABLE invoice_view ALTER COLUMN document SET COMPRESSION lz4;
    END IF;
END
$$;
