-- May we? Consent decisions, suppressed addresses, barred identities, the console's users, the audit log.
create schema govern;

-- The consent ledger: one row is one decision. Rows are never changed; only the erasure of a person removes them.
create table govern.decisions (
    record_id bigint generated always as identity primary key,
    identity_id bigint not null,
    purpose text not null,
    channel text not null,
    state text not null,
    at timestamptz not null,
    recorded_at timestamptz not null,
    source_id integer not null,
    method text not null,
    proof jsonb not null
);
create index on govern.decisions (identity_id, at desc) where purpose = 'profiling';
create index on govern.decisions (identity_id, purpose, channel, at desc, record_id desc);

create function govern.refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name;
end
$$;
create trigger append_only before update on govern.decisions for each row execute function govern.refuse_change();

-- Addresses that get nothing more: a keyed fingerprint, so that the list survives the erasure of the person.
create table govern.suppressed (
    fingerprint bytea not null,
    channel text not null,
    reason text not null,
    at timestamptz not null,
    primary key (fingerprint, channel, reason)
);

-- Identities of erased people: what still arrives for them is not taken in.
create table govern.barred (
    identity_id bigint primary key,
    at timestamptz not null
);

create table govern.users (
    id integer generated always as identity primary key,
    name text not null unique,
    role text not null,
    password_hash text not null,
    created_at timestamptz not null,
    password_set_at timestamptz not null,
    failures integer not null default 0,
    failed_at timestamptz
);

-- Sessions by the hash of their token, so that a copy of the table opens nothing.
create table govern.sessions (
    token_hash bytea primary key,
    user_id integer not null references govern.users on delete cascade,
    created_at timestamptz not null,
    seen_at timestamptz not null
);
create index on govern.sessions (user_id);

-- The audit log: each row's hash covers the row before it.
create table govern.audit (
    number bigint primary key,
    at timestamptz not null,
    actor text not null,
    action text not null,
    target text not null,
    detail jsonb not null,
    hash bytea not null
);
create trigger append_only before update or delete on govern.audit for each row execute function govern.refuse_change();
