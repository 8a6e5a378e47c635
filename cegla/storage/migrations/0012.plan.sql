-- What should come: the tracking plans of sources, and what came that was not as planned.
create schema plan;

-- Every version a plan ever had; the newest row of activations says which one holds.
create table plan.versions (
    source_id integer not null,
    version integer not null,
    document jsonb not null,                     -- as docs/reference/tracking-plans.md describes
    text text not null,                          -- as it was written, with its comments
    note text not null default '',
    made_by text not null,
    made_at timestamptz not null,
    primary key (source_id, version)
);

create table plan.activations (
    id bigint generated always as identity primary key,
    source_id integer not null,
    version integer,                             -- null: no plan holds
    made_by text not null,
    made_at timestamptz not null
);
create index on plan.activations (source_id, id);

-- How often which violation came on which day (UTC); no values, only the JSON type that stood there.
create table plan.violations (
    source_id integer not null,
    day date not null,
    event text not null,
    path text not null,
    kind text not null,
    count bigint not null,
    blocked bigint not null,                     -- of those, in events that were set aside
    seen text not null,
    first_at timestamptz not null,
    last_at timestamptz not null,
    primary key (source_id, day, event, path, kind)
);

-- Values that a plan took out of events that were applied without them.
create table plan.apart (
    source_id integer not null,
    message_id text not null,
    event text not null,
    received_at timestamptz not null,
    kept_at timestamptz not null,
    body bytea not null,                         -- JSON: the ids of the event and the values at their places
    primary key (source_id, message_id)
);
create index on plan.apart (kept_at);
