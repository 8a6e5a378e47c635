-- name: active
-- Which version of which source's plan holds.
select source_id, version from (select distinct on (source_id) source_id, version from plan.activations order by source_id, id desc) newest
where version is not null;

-- name: versions
-- Versions of a source's plan, newest first.
select v.version, v.text, v.note, v.made_by, v.made_at, coalesce(v.version = (
    select a.version from plan.activations a where a.source_id = v.source_id order by a.id desc limit 1), false) as active
from plan.versions v where v.source_id = :source_id order by v.version desc;

-- name: document$
-- One version as it is read.
select document from plan.versions where source_id = :source_id and version = :version;

-- name: lock_plan!
-- Let nobody else change a source's plan until the transaction ends.
select pg_advisory_xact_lock(:lock_space, :source_id);

-- name: add_version!
-- A new version.
insert into plan.versions (source_id, version, document, text, note, made_by, made_at)
values (:source_id, :version, :document, :text, :note, :by, :now);

-- name: activate!
-- From now on this version holds; none when it is null.
insert into plan.activations (source_id, version, made_by, made_at) values (:source_id, :version, :by, :now);

-- name: count_violations!
-- Add a batch's violations to their days; a source has room for so many different ones a day, so that nobody can fill the table.
insert into plan.violations as v (source_id, day, event, path, kind, count, blocked, seen, first_at, last_at)
select n.source_id, :day, n.event, n.path, n.kind, n.count, n.blocked, n.seen, :now, :now
from unnest(:source_ids::integer[], :events::text[], :paths::text[], :kinds::text[], :counts::bigint[], :blocked::bigint[], :seen::text[])
    as n (source_id, event, path, kind, count, blocked, seen)
where (select count(*) from plan.violations k where k.source_id = n.source_id and k.day = :day) < :most
    or exists (select 1 from plan.violations k
        where k.source_id = n.source_id and k.day = :day and k.event = n.event and k.path = n.path and k.kind = n.kind)
on conflict (source_id, day, event, path, kind) do update
    set count = v.count + excluded.count, blocked = v.blocked + excluded.blocked, seen = excluded.seen, last_at = excluded.last_at;

-- name: violations
-- Violations of a source since a day, by event, property and kind; of one event when it is named.
select event, path, kind, sum(count)::bigint, sum(blocked)::bigint, max(seen), min(first_at), max(last_at)
from plan.violations
where source_id = :source_id and day >= :since and (:event::text is null or event = :event)
group by event, path, kind order by 4 desc, 1, 2, 3 limit 2000;

-- name: keep_apart!
-- Values taken out of events; once an event.
insert into plan.apart (source_id, message_id, event, received_at, kept_at, body)
select source_id, message_id, event, received_at, :now, body
from unnest(:source_ids::integer[], :message_ids::text[], :events::text[], :received::timestamptz[], :bodies::bytea[])
    as a (source_id, message_id, event, received_at, body)
on conflict do nothing;

-- name: apart_count$
-- How many events of a name had values taken out.
select count(*) from plan.apart where source_id = :source_id and event = :event;

-- name: apart_of
-- What was taken out of some events.
select a.source_id, a.message_id, a.body from plan.apart a
join unnest(:source_ids::integer[], :message_ids::text[]) as e (source_id, message_id) using (source_id, message_id);

-- name: apart_naming
-- Values kept apart whose event names a person by one of the texts; the caller looks closer.
select source_id, message_id, event, received_at, body from plan.apart
where exists (select from collect.texts_in(body, :needles::bytea[])) order by kept_at;

-- name: drop_apart!
-- Forget values kept apart.
delete from plan.apart a using unnest(:source_ids::integer[], :message_ids::text[]) as g (source_id, message_id)
where a.source_id = g.source_id and a.message_id = g.message_id;

-- name: trim_apart!
-- Forget values kept apart before a moment.
delete from plan.apart where kept_at < :before;

-- name: trim_violations!
-- Forget counts of days before one.
delete from plan.violations where day < :before;
