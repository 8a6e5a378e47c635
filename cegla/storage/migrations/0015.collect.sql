-- Webhooks: where providers send what happened at theirs. One for each source; the secrets are sealed with the installation's own key.
create table collect.webhooks (
    source_id integer primary key references collect.sources,
    token_hash bytea not null unique,            -- SHA-256 of the token in the address
    scheme text not null,                        -- a row of rules/signatures.py
    sealed bytea not null,                       -- the token and what the signature check needs
    mapping text not null,                       -- YAML, as written
    trusted boolean not null default false,      -- may link two known people
    enabled boolean not null default true,
    created_at timestamptz not null,
    changed_at timestamptz not null
);

-- The last requests of a webhook are shown on its page.
create index inbox_webhooks on collect.inbox (source_id, received_at) where kind = 'webhook';

-- What a webhook's mapping leaves out on purpose, such as a provider's test call.
alter table collect.counters add column ignored bigint not null default 0;

-- What the collectors counted, each under its own number; 0 holds what those that are gone had counted.
create table collect.figures (
    writer integer not null,
    name text not null,
    labels text not null default '',
    value double precision not null,
    primary key (writer, name, labels)
) with (fillfactor = 50);

-- The last count of what must add up, and since when it does not.
create table collect.balance (
    single boolean primary key default true check (single),
    checked_at timestamptz not null,
    wrong_since timestamptz,
    findings text[] not null default '{}'
);
