-- name: insert_segment$
-- Adds a segment, or redefines the one with its key, and returns its id.
insert into segment.segments (key, name, rule, created_at, changed_at) values (:key, :name, :rule, :now, :now)
on conflict (key) do update set name = excluded.name, rule = excluded.rule, changed_at = excluded.changed_at returning id;

-- name: insert_ready_made!
-- Adds a ready-made segment unless one with its key is there.
insert into segment.segments (key, name, rule, created_at, changed_at) values (:key, :name, :rule, :now, :now) on conflict (key) do nothing;

-- name: give_keys!
-- A key for each segment that has none: by it the form and the command line change a segment instead of adding another one.
update segment.segments set key = 'own.' || left(md5('segment ' || id), 12) where key is null;

-- name: list_segments
-- Every segment with the number of people in it now, oldest first.
select s.id, s.key, s.name, s.rule, s.created_at, s.changed_at, s.refreshed_at,
    (select count(*) from segment.members m where m.segment_id = s.id and m.left_at is null) as members
from segment.segments s order by s.id;

-- name: find_segment^
-- One segment with the number of people in it now.
select s.id, s.key, s.name, s.rule, s.created_at, s.changed_at, s.refreshed_at,
    (select count(*) from segment.members m where m.segment_id = s.id and m.left_at is null) as members
from segment.segments s where s.id = :segment_id;

-- name: list_rules
-- What every segment is called and which rule it has, oldest first.
select id, key, name, rule from segment.segments order by id;

-- name: members_among#
-- Who of these people is in which segment now: each segment with their numbers, ascending, as eight bytes each.
select segment_id, string_agg(int8send(person_id), '' order by person_id) from segment.members
where person_id = any(:people) and left_at is null and segment_id = any(:ids) group by segment_id;

-- name: people_kept#
-- Everybody who is in some segment now, or is to be looked at again, as eight bytes each.
select string_agg(int8send(person_id), '' order by person_id)
from (select person_id from segment.members where left_at is null union select person_id from segment.due) kept;

-- name: members_now#
-- Everybody who is in this segment now, as eight bytes each.
select string_agg(int8send(person_id), '' order by person_id) from segment.members where segment_id = :segment_id and left_at is null;

-- name: enter!
-- Opens memberships: pairs of segment and person.
insert into segment.members (segment_id, person_id, entered_at)
select segment_id, person_id, :now from unnest(:segments::bigint[], :people::bigint[]) as fresh (segment_id, person_id)
on conflict (segment_id, person_id) where left_at is null do nothing;

-- name: leave!
-- Closes memberships: pairs of segment and person.
update segment.members m set left_at = :now
from unnest(:segments::bigint[], :people::bigint[]) as gone (segment_id, person_id)
where m.segment_id = gone.segment_id and m.person_id = gone.person_id and m.left_at is null;

-- name: mark_refreshed!
-- Notes that everybody was looked at.
update segment.segments set refreshed_at = :now where id = any(:ids);

-- name: list_membership
-- A page of the people in a segment now, by person.
select person_id, entered_at from segment.members
where segment_id = :segment_id and left_at is null and person_id > :after order by person_id limit :limit;

-- name: list_memberships_of_people
-- Every membership of these people, also the ended ones, newest first.
select m.person_id, m.segment_id, s.name, m.entered_at, m.left_at
from segment.members m join segment.segments s on s.id = m.segment_id
where m.person_id = any(:people) order by m.entered_at desc, m.segment_id;

-- name: membership_changes
-- What a person entered or left at a moment.
select m.segment_id, s.name, m.entered_at = :at from segment.members m join segment.segments s on s.id = m.segment_id
where m.person_id = :person_id and (m.entered_at = :at or m.left_at = :at) order by s.name;

-- name: carry_memberships!
-- Lets the person who goes on stay where a joined person was, since the same time.
insert into segment.members (segment_id, person_id, entered_at)
select m.segment_id, joined.into_person, min(m.entered_at)
from segment.members m join unnest(:people::bigint[], :into::bigint[]) as joined (person_id, into_person) on joined.person_id = m.person_id
where m.left_at is null group by m.segment_id, joined.into_person
on conflict (segment_id, person_id) where left_at is null do nothing;

-- name: close_memberships!
-- Ends every open membership of people who are no more.
update segment.members set left_at = :now where person_id = any(:people) and left_at is null;

-- name: erase_memberships!
-- Removes every trace of these people.
delete from segment.members where person_id = any(:people);

-- name: note_changes!
-- Says that people entered or left segments, for whoever listens.
insert into segment.changes (segment_id, person_id, entered, at)
select segment_id, person_id, :entered, :now from unnest(:segments::bigint[], :people::bigint[]) as changed (segment_id, person_id);

-- name: list_changes
-- Who entered and left after a change, oldest first: in one segment or in all (null).
select id, segment_id, person_id, entered, at from segment.changes
where id > :after and (:segment_id::bigint is null or segment_id = :segment_id) order by id limit :limit;

-- name: newest_changes
-- Who entered and left one segment, newest first, before a change (null: the newest).
select id, segment_id, person_id, entered, at from segment.changes
where segment_id = :segment_id and (:before::bigint is null or id < :before) order by id desc limit :limit;

-- name: newest_change$
-- The number of the newest change; 0 when there is none.
select coalesce(max(id), 0) from segment.changes;

-- name: forget_changes!
-- Drops changes that everybody has had the time to hear.
delete from segment.changes where at < :before;

-- name: erase_changes!
-- Removes what was said of these people.
delete from segment.changes where person_id = any(:people);

-- name: drop_due!
-- Forgets when to look again: at these people, or at everybody (null).
delete from segment.due where :people::bigint[] is null or person_id = any(:people);

-- name: put_due!
-- Says when to look at people again; what is there already stays when it is earlier.
insert into segment.due as kept (person_id, due_at)
select person_id, due_at from unnest(:people::bigint[], :moments::timestamptz[]) as fresh (person_id, due_at)
on conflict (person_id) do update set due_at = least(kept.due_at, excluded.due_at);

-- name: find_due
-- People to look at again by now, up to a number, those longest due first.
select person_id from segment.due where due_at <= :now order by due_at, person_id limit :limit;

-- name: find_tenths
-- The bounds of the tenths of all traits.
select trait, bounds from segment.tenths;

-- name: save_tenths!
-- Notes the bounds of the tenths of a trait.
insert into segment.tenths (trait, at, people, bounds) values (:trait, :now, :people, :bounds)
on conflict (trait) do update set at = excluded.at, people = excluded.people, bounds = excluded.bounds;

-- name: moves_by_day
-- How many people entered and left one segment on each day, in a time zone, since a day. Columns: day, entered, left.
select day, sum(entered)::bigint, sum(gone)::bigint from (
    select (entered_at at time zone :zone)::date as day, count(*) as entered, 0 as gone from segment.members where segment_id = :segment_id group by 1
    union all
    select (left_at at time zone :zone)::date, 0, count(*) from segment.members where segment_id = :segment_id and left_at is not null group by 1
) moved where day >= :since group by day order by day;

-- name: overlaps
-- For pairs of these segments how many people are in both now; a segment with itself: how many are in it.
select a.segment_id, b.segment_id, count(*) from segment.members a join segment.members b using (person_id)
where a.left_at is null and b.left_at is null and a.segment_id = any(:ids) and b.segment_id = any(:ids) and a.segment_id <= b.segment_id
group by 1, 2 order by 1, 2;

-- name: find_scale^
-- The newest RFM scale.
select at, people, recency, frequency, monetary from segment.scales order by at desc limit 1;

-- name: save_scale!
-- Notes the RFM scale of a moment.
insert into segment.scales (at, people, recency, frequency, monetary) values (:at, :people, :recency, :frequency, :monetary)
on conflict (at) do update set people = excluded.people, recency = excluded.recency, frequency = excluded.frequency, monetary = excluded.monetary;

-- name: segments_on_site
-- The segments that a page's own script may see.
select id from segment.segments where on_site order by id;

-- name: mark_on_site!
-- Makes a segment visible on the site, or not.
update segment.segments set on_site = :visible where id = :segment_id;

-- name: find_portraits
-- What portraits of a kind say of these people, or of everybody (null).
select person_id, words from segment.portraits where kind = :kind and (:people::bigint[] is null or person_id = any(:people));

-- name: keep_portraits
-- Notes what portraits of a kind say of people; returns of whom it is something else than before.
insert into segment.portraits as kept (kind, person_id, words, found_at)
select :kind, person_id, words::jsonb, :now from unnest(:people::bigint[], :words::text[]) as fresh (person_id, words)
on conflict (kind, person_id) do update set words = excluded.words, found_at = excluded.found_at where kept.words <> excluded.words returning person_id;

-- name: drop_portraits_of_others
-- Forgets what portraits of a kind said of everybody else; returns of whom.
delete from segment.portraits gone where kind = :kind and not exists (select from unnest(:people::bigint[]) as still (person_id) where still.person_id = gone.person_id)
returning person_id;

-- name: portraits_of_people
-- What portraits say of these people.
select kind, words, found_at from segment.portraits where person_id = any(:people) order by kind, person_id;

-- name: erase_portraits!
-- Removes what portraits say of these people.
delete from segment.portraits where person_id = any(:people);
