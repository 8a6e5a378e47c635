-- What was taken in: sources, the inbox of requests as received, what was seen before, and what was set aside.
create schema collect;

create table collect.sources (
    id integer generated always as identity primary key,
    key text not null unique,                    -- the write key; public, since it stands in web pages
    secret_hash bytea,                           -- SHA-256 of the secret key
    name text not null unique,
    kind text not null,                          -- website, server, import, internal
    basis text not null,                         -- lawful basis of collecting here
    enabled boolean not null default true,
    largest_event_bytes integer not null default 32768,
    origins text[] not null default '{}',        -- web origins that may use the write key; empty: any
    created_at timestamptz not null
);

-- Whoever appends to the inbox. A collector process gets a number of its own at each start; `source_id` names the
-- writer through which this installation itself writes for a source. Intake's place behind each writer is in positions.
create table collect.writers (
    writer integer generated always as identity primary key,
    source_id integer unique references collect.sources,
    opened_at timestamptz not null default clock_timestamp(),
    last_number bigint not null default 0,       -- kept for source writers only: they lock this row while they append
    last_link bytea not null default '\x'
);

-- Requests as received. Numbers of one writer have no gaps and become visible in order; link is the hash chain.
create table collect.inbox (
    number bigint not null,
    received_at timestamptz not null,
    written_at timestamptz not null default statement_timestamp(),
    writer integer not null,
    source_id integer not null,
    events integer not null,                     -- how many events the door counted in the body
    trusted boolean not null,                    -- came with the secret key or from this installation
    gpc boolean not null,                        -- the browser sent Sec-GPC: 1
    kind text,                                   -- the call the path named; null for batches
    ip text,                                     -- truncated to /24 or /48
    user_agent text,
    link bytea not null,
    body bytea not null,                         -- decompressed, otherwise as received
    primary key (writer, number)
) with (autovacuum_vacuum_insert_scale_factor = 0.5);
alter table collect.inbox alter column body set storage external;

create table collect.positions (
    writer integer primary key references collect.writers,
    taken bigint not null default 0,             -- the last number taken in
    link bytea not null default '\x'             -- and its link, so that intake checks the chain as it goes
) with (fillfactor = 50);

-- Whatever intake found wrong with a chain: numbers that are missing, or a body that is not the one accepted.
create table collect.damage (
    writer integer not null,
    number bigint not null,
    expected text not null,
    found text not null,
    found_at timestamptz not null,
    primary key (writer, number)
);

-- A hash of (source, messageId) for each event taken in. A generation is 31 days; this one and the one before are kept.
-- Generation 0 is for file imports and kept for good, so that a file can be imported again at any time.
create table collect.seen (
    generation integer not null,
    hash uuid not null,
    primary key (generation, hash)
) partition by list (generation);
create table collect.seen_0 partition of collect.seen for values in (0);

-- Make the table of a generation when there is none yet, and let go of those before the previous one.
create function collect.open_generation(wanted integer) returns void language plpgsql as $$
declare
    old text;
begin
    if to_regclass(format('collect.seen_%s', wanted)) is not null then
        return;
    end if;
    execute format('create table collect.seen_%s partition of collect.seen for values in (%s)', wanted, wanted);
    for old in
        select inhrelid::regclass::text from pg_inherits
        where inhparent = 'collect.seen'::regclass and substring(inhrelid::regclass::text from '_(\d+)$')::integer between 1 and wanted - 2
    loop
        execute 'drop table ' || old;
    end loop;
end $$;

create table collect.quarantine (
    id bigint generated always as identity primary key,
    source_id integer not null,
    reason text not null,
    detail text not null,
    payload bytea,                               -- null when keeping it needs a consent that is missing
    message_id text,
    received_at timestamptz not null,
    set_aside_at timestamptz not null,
    writer integer not null,
    number bigint not null,
    index integer not null,
    events integer not null default 1,           -- more than one when a whole request had to be set aside
    trusted boolean not null default false,
    kind text,                                   -- of a whole request: the call its path named
    replayed_at timestamptz
);
create index on collect.quarantine (reason, id);

-- Events by source since the beginning. `accepted` is what the door counted, the others what intake did with it.
create table collect.counters (
    source_id integer primary key references collect.sources,
    accepted bigint not null default 0,
    applied bigint not null default 0,
    repeated bigint not null default 0,
    quarantined bigint not null default 0,
    last_received_at timestamptz
) with (fillfactor = 50);
