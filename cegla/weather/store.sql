-- name: known_days
-- Places and days from a day on, and whether they may still change. Columns: latitude, longitude, day, settled.
select latitude, longitude, day, settled from weather.days where day >= :since;

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
