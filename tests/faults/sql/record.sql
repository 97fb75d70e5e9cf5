-- What the clients say, beside the system's own tables.
drop schema if exists faults cascade;
create schema faults;
create table faults.product (product_id text primary key, product_uuid uuid not null, delivered bigint not null);
create table faults.placed (
    key text primary key, order_id text unique, number text unique, total numeric, outcome text not null
);
create table faults.line (key text not null, product_id text not null, quantity bigint not null);
create table faults.deed (order_id text not null, kind text not null, reference text not null, amount numeric,
    outcome text not null);
create index on faults.deed (order_id);
