-- Who else is told who entered and left which segments.
create schema sync;

-- One receiver: where, of which segments, for which purpose. `heard`: the last change of segments that was looked at.
create table sync.receivers (
    id bigint generated always as identity primary key,
    name text not null unique,
    url text not null,
    segments bigint[] not null,
    purpose text not null,
    channel text not null,                        -- none: a person's number alone; email, sms: also the hashed address, and the gate is asked about the channel
    sealed bytea not null,                        -- the secret that messages are signed with
    enabled boolean not null default true,
    heard bigint not null default 0,
    compare_at timestamptz,                       -- when to compare everybody, not only what changed; null: not before the night
    tries integer not null default 0,             -- that failed in a row
    next_at timestamptz not null,
    problem text,                                 -- what the last try came to, when it failed
    made_at timestamptz not null,
    changed_at timestamptz not null
);

-- Whom a receiver takes to be in a segment, because it was told so and nothing else since.
create table sync.told (
    receiver_id bigint not null references sync.receivers (id) on delete cascade,
    segment_id bigint not null,
    person_id bigint not null,
    primary key (receiver_id, segment_id, person_id)
);
create index on sync.told (person_id);

-- Messages in the order in which they are sent; the number is part of the key that a receiver knows a repeat by.
create table sync.letters (
    id bigint generated always as identity primary key,
    receiver_id bigint not null references sync.receivers (id) on delete cascade,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'refused')),
    tries integer not null default 0,
    problem text,
    made_at timestamptz not null,
    done_at timestamptz
);
create index on sync.letters (receiver_id, state, id);

create table sync.lines (
    letter_id bigint not null references sync.letters (id) on delete cascade,
    place integer not null,
    segment_id bigint not null,
    person_id bigint,                             -- null: erased meanwhile
    gone text,                                    -- how the receiver knew somebody who was erased, until it is told to forget
    entered boolean not null,
    reason text not null,                         -- entered, left, consent, erased
    at timestamptz not null,
    primary key (letter_id, place)
);
create index on sync.lines (person_id);
