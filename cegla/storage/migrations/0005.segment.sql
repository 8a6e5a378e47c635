-- Segments as people define them, and who is in each of them, with the time of entering and leaving.
create schema segment;

create table segment.segments (
    id bigint generated always as identity primary key,
    key text unique,                                  -- of ready-made segments, so that they are installed once
    name text not null,
    rule jsonb not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    refreshed_at timestamptz                          -- when everybody was last looked at
);

create table segment.members (
    segment_id bigint not null references segment.segments (id) on delete cascade,
    person_id bigint not null,
    entered_at timestamptz not null,
    left_at timestamptz                               -- null: still in
);
create unique index members_now on segment.members (segment_id, person_id) where left_at is null;
create index members_of_person on segment.members (person_id);

-- Where the RFM scores begin, worked out over everybody at a moment (see rules/rfm.py).
create table segment.scales (
    at timestamptz primary key,
    people bigint not null,
    recency bigint[] not null,
    frequency bigint[] not null,
    monetary bigint[] not null
);
