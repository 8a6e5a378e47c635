-- Act: what was found at the last look at the records of our domains and at our servers.
create table activate.looks (
    id integer primary key check (id = 1),
    found jsonb not null,
    at timestamptz not null
);
