-- The door: limits of a source's own, keys that were replaced, and requests that were refused.
alter table collect.sources
    alter column largest_event_bytes drop not null,      -- null in any limit: the installation's
    alter column largest_event_bytes drop default,
    add column largest_request_bytes integer check (largest_request_bytes > 0),
    add column most_events integer check (most_events > 0),
    add column requests_per_second double precision check (requests_per_second > 0);
update collect.sources set largest_event_bytes = null where largest_event_bytes = 32768;

-- Keys that a source had before. They work on until they are revoked, so that clients can change over in their own time.
create table collect.former_keys (
    id integer generated always as identity primary key,
    source_id integer not null references collect.sources,
    key text unique,                             -- a write key, or
    secret_hash bytea unique,                    -- the SHA-256 of a secret key
    replaced_at timestamptz not null,
    revoked_at timestamptz,
    check (num_nonnulls(key, secret_hash) = 1)
);
create index on collect.former_keys (source_id);

-- Requests of a source that got no 200, by day, so that its owner sees what its clients may have lost.
create table collect.refused (
    source_id integer not null references collect.sources,
    day date not null,
    why text not null,                           -- the code of the answer, such as too_large
    requests bigint not null,
    last_at timestamptz not null,
    primary key (source_id, day, why)
) with (fillfactor = 50);
