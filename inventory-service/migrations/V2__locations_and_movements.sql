-- Where stock lies, and every change of it.

-- Events name a location by its code. What a product has at other locations than the default one stands in its guard,
-- as an object of code to pieces; the default location has the rest.
create table location (
    code       text        primary key,
    name       text        not null,
    created_at timestamptz not null default clock_timestamp()
);

insert into location (code, name) values ('default', 'Default');

alter table stock add column elsewhere jsonb not null default '{}';

-- What the log says about a product's stock, in the order of its versions; filled by the reader `stock-movements`.
-- on_hand and reserved are those of the location. counted_at is the moment whose stock a count told.
create table stock_movement (
    product_id    uuid        not null,
    stock_version bigint      not null,
    event_id      uuid        not null,
    event_type    text        not null,
    location      text        not null,
    quantity      bigint      not null,
    on_hand       bigint      not null,
    reserved      bigint      not null,
    order_id      uuid,
    reason        text,
    occurred_at   timestamptz not null,
    counted_at    timestamptz,
    primary key (product_id, stock_version)
);
