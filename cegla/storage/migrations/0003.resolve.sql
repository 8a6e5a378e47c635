-- Who is it? Identifiers, the links between them, and whose each identifier is today. People are derived from links.
create schema resolve;

create sequence resolve.identity_ids;
create sequence resolve.edge_ids;
create sequence resolve.stamps;

-- One row is one identifier. A browser or phone that changed hands has a further row per later user: holder_id is that
-- user's identity, and the row always belongs to whoever holder_id belongs to. 0: the identifier itself.
create table resolve.identities (
    identity_id bigint primary key,
    type text not null,
    value text not null,
    holder_id bigint not null default 0,
    person_id bigint not null,                   -- the smallest identity of the cluster; derived
    first_seen_at timestamptz not null,          -- event time of the first event that showed it
    source_id integer not null,
    folded text,                                 -- lower case without diacritics, for search; null for browser ids
    unique (value, type, holder_id)
);
create index on resolve.identities (person_id) where person_id <> identity_id;
create index on resolve.identities (holder_id) where holder_id <> 0;

-- The truth: which identifiers were seen to belong together. One row is one pair with its first event; a refused or
-- retracted link stays, with the reason. trusted and rule are the strongest ever seen, at the earliest.
create table resolve.edges (
    edge_id bigint primary key,
    strong_id bigint not null,
    weak_id bigint not null,
    rule text not null,                          -- alias, stated, seen
    trusted boolean not null,
    at timestamptz not null,                     -- event time of the first event
    last_at timestamptz not null,                -- event time of the newest one; kept up to date on shared browsers only
    source_id integer not null,
    message_id text not null,
    recorded_at timestamptz not null default now(),
    refused text,                                -- why the link joins nobody; derived
    retracted_at timestamptz,
    retracted_by text,
    unique (strong_id, weak_id)
);
create index on resolve.edges (weak_id, at);
create index on resolve.edges (weak_id) where refused is not null;

-- The merge log, append-only: which identity moved from whom to whom, why, when.
create table resolve.moves (
    move_id bigint generated always as identity primary key,
    moved_at timestamptz not null default now(),
    identity_id bigint not null,
    from_person bigint not null,
    to_person bigint not null,
    edge_id bigint,                              -- the link behind it
    cause text not null,                         -- link, late_link, retraction
    actor text not null
);
create index on resolve.moves (identity_id);

-- One row; the stamp changes with every change above, so that a cache knows whether it still holds.
create table resolve.state (
    only_row boolean primary key default true check (only_row),
    stamp bigint not null
);
insert into resolve.state (stamp) values (0);
