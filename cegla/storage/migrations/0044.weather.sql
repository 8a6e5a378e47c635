-- Weather: days of places on a grid of tenths of a degree, hour by hour in UTC; nothing here is about a person.
create schema weather;
create table weather.days (
    latitude smallint not null,                       -- in tenths of a degree
    longitude smallint not null,
    day date not null,                                -- UTC
    temperature real[] not null,                      -- 24 hours, °C
    precipitation real[] not null,                    -- mm
    snowfall real[] not null,                         -- cm
    code smallint[] not null,                         -- WMO
    settled boolean not null,                         -- the provider will not change it any more
    fetched_at timestamptz not null,
    primary key (latitude, longitude, day)
);
create index on weather.days (day);
