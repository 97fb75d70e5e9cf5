-- Catalogue, prices, the guards of stock, and reservations. Every row is what folding the log `inventory` gives, and
-- is changed in the transaction that appends the event.

create table product (
    id                  uuid        primary key,
    sku                 text        not null,
    name                text        not null,
    description         text,
    tax_class           text        not null,
    channel             text        not null,
    legal_entity        text        not null,
    external_id         text,
    attributes          jsonb       not null,
    backorder           boolean     not null,
    low_stock_threshold bigint      check (low_stock_threshold >= 0),
    status              text        not null check (status in ('ACTIVE', 'ARCHIVED')),
    version             bigint      not null check (version > 0),
    created_at          timestamptz not null,
    updated_at          timestamptz not null,
    constraint product_sku_key unique (sku)
);

-- A price holds from valid_from until the next one of the same product and currency begins; nothing has to happen
-- when a future price's moment comes.
create table price (
    product_id uuid        not null references product,
    currency   text        not null check (currency ~ '^[A-Z]{3}$'),
    valid_from timestamptz not null,
    amount     numeric     not null check (amount >= 0),
    primary key (product_id, currency, valid_from)
);

-- The guard of a product's stock. `version` counts its changes (stockVersion in events); `stream_version` is the
-- version of its own stream, `stk_…`, which only deliveries and counts write to.
create table stock (
    product_id          uuid    primary key references product,
    on_hand             bigint  not null default 0 check (on_hand >= 0),
    reserved            bigint  not null default 0 check (reserved >= 0),
    backorder           boolean not null,
    low_stock_threshold bigint,
    version             bigint  not null default 0,
    stream_version      bigint  not null default 0,
    constraint stock_is_not_oversold check (backorder or reserved <= on_hand)
) with (fillfactor = 50);

-- `lines` is an object of product id (uuid) to pieces: what is held, and of a tombstone, what was. `order_version`
-- is the last version of the order whose effect is in this row, so that a repeated event changes nothing.
create table reservation (
    order_id      uuid        primary key,
    revision      integer     not null check (revision >= 0),
    state         text        not null
                  check (state in ('PENDING', 'ATTACHED', 'CONFIRMED', 'RELEASED', 'EXPIRED', 'LAPSED')),
    lines         jsonb       not null,
    expires_at    timestamptz,
    version       bigint      not null check (version > 0),
    order_version bigint      not null default 0,
    check ((expires_at is not null) = (state = 'PENDING'))
) with (fillfactor = 70);

create index reservation_expires_at on reservation (expires_at) where state = 'PENDING';
