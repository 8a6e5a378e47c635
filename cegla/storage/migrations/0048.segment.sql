-- When time alone may next change some segment of a person: a window runs out, a birthday comes. One row a person, the earliest moment.
create table segment.due (
    person_id bigint primary key,
    due_at timestamptz not null
);
create index on segment.due (due_at);

-- Who entered and left, in the order in which it was found, for whoever listens. Kept for a while; the stays themselves are in `members`.
create table segment.changes (
    id bigint generated always as identity primary key,
    segment_id bigint not null references segment.segments (id) on delete cascade,
    person_id bigint not null,
    entered boolean not null,
    at timestamptz not null
);
create index on segment.changes (person_id);
create index on segment.changes (segment_id, id);
create index on segment.changes (at);

-- The nine smallest values of the tenths 2 to 10 of a trait, worked out over everybody (see rules/tenths.py).
create table segment.tenths (
    trait text primary key,
    at timestamptz not null,
    people bigint not null,
    bounds double precision[] not null
);

-- Sizes over time are counted from the stays of one segment.
create index members_of_segment on segment.members (segment_id, entered_at);
