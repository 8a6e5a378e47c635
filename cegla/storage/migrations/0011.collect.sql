-- Clocks of devices that were wrong once (collect/rules/clocks.py), and visits without anybody (collect/visits.py).

-- By a hash of (source, anonymousId). Runs are first, last and shift, three numbers each; all are microseconds.
create table collect.clocks (
    device uuid primary key,
    shift bigint,
    runs bigint[] not null,
    used_at timestamptz not null
) with (fillfactor = 70);
create index on collect.clocks (used_at);

-- What visitors did who were not asked yet, where the website counts them without any identifier: numbers, and nobody behind them.
create table collect.visits (
    source_id integer not null references collect.sources,
    day date not null,                           -- in the shop's time zone
    name text not null,                          -- the event's name
    path text not null,                          -- the page's path; '…' for what is beyond the thousand of a day
    viewport text not null,                      -- phone, tablet, desktop, wide or unknown
    times bigint not null,
    primary key (source_id, day, name, path, viewport)
) with (fillfactor = 70);
