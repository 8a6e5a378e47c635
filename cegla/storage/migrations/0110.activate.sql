-- Act: clicks that wait for a moment, until it is seen whether a person or a scanner of links made them; then they return as events.
create table activate.clicks (
    id bigint generated always as identity primary key,
    message_id bigint not null,
    link integer not null,
    at timestamptz not null,
    machine text
);
create index on activate.clicks (message_id);
