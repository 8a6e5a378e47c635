-- Days of places that the provider was asked for and did not know, so that they are not asked for again each night.
create table weather.unknown (
    latitude smallint not null,                       -- in tenths of a degree
    longitude smallint not null,
    day date not null,                                -- UTC
    asked_on date not null,                           -- UTC, the last time
    primary key (latitude, longitude, day)
);
create index on weather.unknown (day);
