-- name: known_days
-- Places and days from a day on, and whether they may still change. Columns: latitude, longitude, day, settled.
select latitude, longitude, day, settled from weather.days where day >= :since;

-- name: unknown_days
-- Places and days from a day on that were asked for in vain, and when last. Columns: latitude, longitude, day, asked_on.
select latitude, longitude, day, asked_on from weather.unknown where day >= :since;

-- name: keep_unknown!
-- These days of places were asked for in vain today.
insert into weather.unknown (latitude, longitude, day, asked_on)
select *, :today from unnest(:latitudes::smallint[], :longitudes::smallint[], :days::date[])
on conflict (latitude, longitude, day) do update set asked_on = excluded.asked_on;

-- name: drop_unknown!
-- These days of places are known now.
delete from weather.unknown u using unnest(:latitudes::smallint[], :longitudes::smallint[], :days::date[]) k (latitude, longitude, day)
where (u.latitude, u.longitude, u.day) = (k.latitude, k.longitude, k.day);

-- name: keep_day!
-- A day of a place, in the place of what was known of it before.
insert into weather.days as d (latitude, longitude, day, temperature, precipitation, snowfall, code, settled, fetched_at)
values (:latitude, :longitude, :day, :temperature::real[], :precipitation::real[], :snowfall::real[], :code::smallint[], :settled, :now)
on conflict (latitude, longitude, day) do update set
    temperature = excluded.temperature, precipitation = excluded.precipitation, snowfall = excluded.snowfall, code = excluded.code,
    settled = excluded.settled, fetched_at = excluded.fetched_at;

-- name: find_days
-- Days from one on, of all places. Columns as in Day, without settled.
select latitude, longitude, day, temperature, precipitation, snowfall, code from weather.days where day >= :since order by latitude, longitude, day;

-- name: standing^
-- How much there is: days, places, the newest day, when something was fetched last.
select count(*), count(distinct (latitude, longitude)), max(day), max(fetched_at) from weather.days;

-- name: forget_days!
-- Drop days before one.
delete from weather.days where day < :before;

-- name: forget_unknown!
-- Drop days before one that were asked for in vain.
delete from weather.unknown where day < :before;
