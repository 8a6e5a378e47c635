-- name: feeds
-- Every feed with what it holds and how fresh it is.
select id, name, address, hours, format, products, left_out, fetched_at, tried_at, trouble, revision from catalog.feeds order by name;

-- name: feed^
-- One feed, with its form, its freshness and its last failure.
select id, name, address, hours, format, products, left_out, fetched_at, tried_at, trouble, revision from catalog.feeds where id = :id;

-- name: add_feed$
-- Begin a feed.
insert into catalog.feeds (name, address, hours) values (:name, :address, :hours) on conflict (name) do nothing returning id;

-- name: remove_feed!
-- Forget a feed and its products.
delete from catalog.feeds where id = :id;

-- name: renew!
-- A feed was read.
update catalog.feeds
set format = :format, products = :products, left_out = :left_out, fetched_at = :now, tried_at = :now, trouble = null, revision = revision + 1
where id = :id;

-- name: failed!
-- A feed could not be read; what it held stays.
update catalog.feeds set tried_at = :now, trouble = :trouble where id = :id;

-- name: empty!
-- Take a feed's products away, before the new ones come.
delete from catalog.products where feed_id = :id;

-- name: fill!
-- Put a feed's products in, in their order.
insert into catalog.products (feed_id, place, product_id, product)
select :id, place, product ->> 'id', product from jsonb_array_elements(cast(:products as jsonb)) with ordinality as given (product, place);

-- name: due
-- Feeds that are to be fetched again.
select id from catalog.feeds
where address <> '' and (tried_at is null or tried_at <= cast(:now as timestamptz) - make_interval(hours => case when trouble is null then hours else 1 end))
order by tried_at nulls first limit 5;

-- name: shelf
-- The first products of a feed that can be bought, and as many of each category that is asked for.
select product from (
    select place, product from (
        select place, product, row_number() over (order by place) as among_all,
            row_number() over (partition by product ->> 'category' order by place) as among_alike
        from catalog.products
        where feed_id = :id and lower(trim(coalesce(product ->> 'availability', ''))) <> all(cast(:gone as text[]))
    ) as counted
    where among_all <= :most or (among_alike <= :most and product ->> 'category' = any(cast(:categories as text[])))
) as chosen order by place;

-- name: page
-- Products of a feed behind a place whose title, number or category holds a word, in their order.
select place, product from catalog.products
where feed_id = :id and place > :after and (:word = '' or concat_ws(' ', product ->> 'title', product_id, product ->> 'category') ilike :pattern)
order by place limit :most;

-- name: named
-- Feeds by name, as far as there are any.
select name, id, revision from catalog.feeds where name = any(cast(:names as text[]));

-- name: products_of
-- Products by their numbers, from whichever feed was read last.
select distinct on (product_id) product_id, product
from catalog.products join catalog.feeds on feeds.id = feed_id
where product_id = any(cast(:ids as text[])) order by product_id, fetched_at desc nulls last;
