-- name: add_accounts!
-- Accounts heard of for the first time.
insert into account.accounts (key, folded) select * from unnest(:keys::text[], :folded::text[]) on conflict do nothing;

-- name: numbers_of_keys
-- The numbers of accounts by their keys. Columns: key, account_id.
select key, account_id from account.accounts where key = any(:keys::text[]);

-- name: add_statements!
-- What a batch said about who belongs where; the same day of the same identity becomes one row, whatever the order.
insert into account.statements as s
select * from unnest(:accounts::bigint[], :identities::bigint[], :days::date[], :joins::boolean[], :imports::integer[], :ats::timestamptz[],
    :last_ats::timestamptz[], :roles::text[], :role_ats::timestamptz[], :sources::integer[], :messages::text[])
on conflict (account_id, identity_id, day, joins, import_id) do update set
    last_at = greatest(s.last_at, excluded.last_at),
    source_id = case when (excluded.at, excluded.source_id, excluded.message_id) < (s.at, s.source_id, s.message_id) then excluded.source_id else s.source_id end,
    message_id = case when (excluded.at, excluded.source_id, excluded.message_id) < (s.at, s.source_id, s.message_id) then excluded.message_id else s.message_id end,
    at = least(s.at, excluded.at),
    role = case when s.role_at is null or (excluded.role_at, excluded.role) > (s.role_at, s.role) then excluded.role else s.role end,
    role_at = greatest(s.role_at, excluded.role_at);

-- name: put_traits!
-- Let newer values win by the time of their event, whenever they came.
insert into account.traits as t
select * from unnest(:accounts::bigint[], :keys::text[], :imports::integer[], :values::jsonb[], :ats::timestamptz[], :sources::integer[], :messages::text[], :folded::text[])
on conflict (account_id, key, import_id) do update set value = excluded.value, declared_at = excluded.declared_at, source_id = excluded.source_id,
    message_id = excluded.message_id, folded = excluded.folded
where (excluded.declared_at, excluded.source_id, excluded.message_id) > (t.declared_at, t.source_id, t.message_id);

-- name: touch!
-- Leave word of accounts to look at in the refresh after this batch.
insert into account.touched select :batch, * from unnest(:accounts::bigint[]) on conflict do nothing;

-- name: touched
-- Accounts that batches up to this one said something about.
select distinct account_id from account.touched where batch <= :upto;

-- name: untouch!
-- They have been looked at.
delete from account.touched where batch <= :upto;

-- name: any_account$
-- Whether there is an account at all.
select exists (select 1 from account.accounts);

-- name: count$
-- How many accounts there are.
select count(*) from account.accounts;

-- name: every
-- The numbers of all accounts.
select account_id from account.accounts order by account_id;

-- name: page
-- Accounts behind a number; :pattern, when given, fits their key or name, :number their number. Columns: account_id, key.
select account_id, key from account.accounts a
where account_id > :after and (:pattern::text is null or a.folded like :pattern or a.account_id = :number
    or exists (select 1 from account.traits t where t.account_id = a.account_id and t.key = 'name' and t.folded like :pattern))
order by account_id limit :limit;

-- name: keys
-- The keys of these accounts. Columns: account_id, key.
select account_id, key from account.accounts where account_id = any(:accounts::bigint[]);

-- name: statements_in
-- Everything said about who belongs to these accounts. Columns: account_id, identity_id, then as in Said from `joins` on.
select account_id, identity_id, joins, at, last_at, role, role_at, source_id, message_id, import_id from account.statements
where account_id = any(:accounts::bigint[]);

-- name: presence_in
-- Who was said to be in these accounts or out of them, and when last. Columns: account_id, identity_id, joins, last_at.
select account_id, identity_id, joins, last_at from account.statements where account_id = any(:accounts::bigint[]);

-- name: statements_of
-- Everything said about where these identities belong. Columns as in statements_in.
select account_id, identity_id, joins, at, last_at, role, role_at, source_id, message_id, import_id from account.statements
where identity_id = any(:identities::bigint[]);

-- name: traits_of
-- What was told of these accounts, the newest of each trait. Columns: account_id, key, value, declared_at, source_id, message_id, import_id.
select distinct on (account_id, key) account_id, key, value, declared_at, source_id, message_id, import_id from account.traits
where account_id = any(:accounts::bigint[])
order by account_id, key, declared_at desc, source_id desc, message_id desc;

-- name: parents
-- Who stands above whom, as the newest traits tell it. Columns: account_id, parent's account_id.
select t.account_id, a.account_id
from (
    select distinct on (account_id) account_id, value from account.traits where key = 'parent_id'
    order by account_id, declared_at desc, source_id desc, message_id desc
) t
join account.accounts a on a.key = t.value #>> '{}'
where a.account_id <> t.account_id;

-- name: figures_of
-- What the people of these accounts come to. Columns: account_id, people, orders, revenue_micros, last_seen_at, engagement.
select account_id, people, orders, revenue_micros, last_seen_at, engagement from account.figures where account_id = any(:accounts::bigint[]);

-- name: put_figures!
-- Put new figures in place of the ones before.
insert into account.figures (account_id, people, orders, revenue_micros, last_seen_at, engagement, computed_at)
select *, :now from unnest(:accounts::bigint[], :people::bigint[], :orders::bigint[], :revenues::bigint[], :seen::timestamptz[], :engagements::double precision[])
on conflict (account_id) do update set people = excluded.people, orders = excluded.orders, revenue_micros = excluded.revenue_micros,
    last_seen_at = excluded.last_seen_at, engagement = excluded.engagement, computed_at = excluded.computed_at;

-- name: met_by
-- Which conditions these accounts met when they were looked at last. Columns: account_id, meets.
select account_id, meets from account.figures where account_id = any(:accounts::bigint[]);

-- name: put_met!
-- Remember which conditions accounts meet.
update account.figures f set meets = n.meets from unnest(:accounts::bigint[], :meets::jsonb[]) n (account_id, meets) where f.account_id = n.account_id;

-- name: forget_import_statements
-- Take back what an import said about who belongs where. Columns: account_id.
delete from account.statements where import_id = :import_id returning account_id;

-- name: forget_import_traits
-- Take back what an import told of accounts. Columns: account_id.
delete from account.traits where import_id = :import_id returning account_id;

-- name: erase_statements
-- Erase where these identities belong. Columns: account_id.
delete from account.statements where identity_id = any(:identities::bigint[]) returning account_id;

-- name: inhabited
-- Those of these accounts that somebody belongs to, or did. Columns: account_id.
select a.account_id from unnest(:accounts::bigint[]) as a (account_id)
where exists (select 1 from account.statements s where s.account_id = a.account_id);

-- name: erase_accounts!
-- These accounts go with everything told of them.
delete from account.accounts where account_id = any(:accounts::bigint[]);
