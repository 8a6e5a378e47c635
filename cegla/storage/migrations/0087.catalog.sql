-- Catalog: feeds of products, fetched from an address or uploaded, and the products they hold.
create schema catalog;

create table catalog.feeds (
    id integer generated always as identity primary key,
    name text not null unique, -- as letters call it: feeds.NAME
    address text not null, -- empty: uploaded by hand
    hours integer not null, -- how old it may grow before it is fetched again
    format text not null default '',
    products integer not null default 0,
    left_out integer not null default 0, -- rows without a title
    fetched_at timestamptz,
    tried_at timestamptz,
    trouble text, -- why it could not be read last
    revision integer not null default 0
);

create table catalog.products (
    feed_id integer not null references catalog.feeds on delete cascade,
    place integer not null,
    product_id text not null,
    product jsonb not null,
    primary key (feed_id, place)
);

create index products_by_id on catalog.products (product_id);
