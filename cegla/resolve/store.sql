-- name: lock!
-- One writer at a time changes identities and links; let go at the end of the transaction.
select pg_advisory_xact_lock(:key);

-- name: stamp$
-- The mark of the last change.
select stamp from resolve.state;

-- name: new_stamp$
-- Marks a change; never the same mark twice, not even after a rollback.
update resolve.state set stamp = nextval('resolve.stamps') returning stamp;

-- name: reserve_identities$
-- The first of :number identity ids that are from now on ours.
select setval('resolve.identity_ids', nextval('resolve.identity_ids') + :number - 1) - :number + 1;

-- name: reserve_edges$
-- The first of :number edge ids that are from now on ours.
select setval('resolve.edge_ids', nextval('resolve.edge_ids') + :number - 1) - :number + 1;

-- name: copy_identities#
-- Adds many identities.
copy resolve.identities (identity_id, type, value, holder_id, person_id, first_seen_at, source_id, folded, import_id) from stdin (format binary);

-- name: copy_edges#
-- Adds many links.
copy resolve.edges (edge_id, strong_id, weak_id, rule, trusted, at, last_at, source_id, message_id, refused, evidence) from stdin (format binary);

-- name: identities_by_value
-- Which of these identifiers exist, whose they are, and whether they changed hands; each is looked up by index, also before the planner knows how large the table has grown. Columns: identity_id, type, value, person_id, shared.
select i.identity_id, w.type, w.value, i.person_id,
    w.type = any(:places) and exists (select 1 from resolve.edges e where e.weak_id = i.identity_id and e.refused = any(:reasons) and e.retracted_at is null)
from rows from (json_array_elements_text(:types::json), json_array_elements_text(:values::json)) w(type, value)
cross join lateral (
    select identity_id, person_id from resolve.identities where value = w.value and type = w.type and holder_id = 0 and until = 'infinity' offset 0) i;

-- name: former_identities
-- Which of these identifiers exist as they were before a release. Columns: identity_id, type, value, until, person_id.
select i.identity_id, i.type, i.value, i.until, i.person_id
from unnest(:types::text[], :values::text[], :untils::timestamptz[]) w(type, value, until)
join resolve.identities i on i.type = w.type and i.value = w.value and i.until = w.until and i.holder_id = 0;

-- name: add_former!
-- Adds an identity that bore an identifier until a release.
insert into resolve.identities (identity_id, type, value, until, person_id, first_seen_at, source_id, folded, import_id)
values (:identity, :type, :value, :until, :owner, :at, :source, :folded, :import_id);

-- name: release_moments
-- When identifiers were released. Columns: type, value, at.
select type, value, at from resolve.releases order by at;

-- name: eras
-- Which of these identities bear an identifier that was released, and from which release on. Columns: identity_id, type, value, since.
select i.identity_id, i.type, i.value, max(r.at) filter (where r.at < i.until)
from resolve.releases r
join resolve.identities i on i.value = r.value and i.type = r.type and i.holder_id = 0
where i.identity_id = any(:ids::bigint[])
group by i.identity_id, i.type, i.value;

-- name: borne_by
-- The identifiers of these identities, each for its time: from the last release before, until its own. Columns: type, value, since, until.
select i.type, i.value, max(r.at) filter (where r.at < i.until), nullif(i.until, 'infinity')
from resolve.identities i left join resolve.releases r on r.value = i.value and r.type = i.type
where i.identity_id = any(:ids::bigint[]) and (i.holder_id = 0 or i.until = 'infinity')
group by i.identity_id, i.type, i.value, i.until order by i.identity_id;

-- name: released_of_people
-- Identifiers of these people that were released, whoever bore them then. Columns: person_id, type, value.
select distinct i.person_id, i.type, i.value
from resolve.releases r
join resolve.identities i on i.value = r.value and i.type = r.type and i.holder_id = 0
where i.person_id = any(:people::bigint[]);

-- name: other_bearers
-- Other people who bore an identifier of these people before a release or after it: a pair seen then decides from when on it counts. Columns: person_id.
select distinct o.person_id
from resolve.releases r
join resolve.identities i on i.value = r.value and i.type = r.type and i.holder_id = 0
join resolve.identities o on o.value = r.value and o.type = r.type and o.holder_id = 0
where i.person_id = any(:people::bigint[]) and not o.person_id = any(:known::bigint[]);

-- name: releases_of_people
-- When identifiers of these people were released. Columns: at.
select r.at
from resolve.releases r
join resolve.identities i on i.value = r.value and i.type = r.type and i.holder_id = 0
where i.person_id = any(:people::bigint[]);

-- name: held_identities
-- The rows of browsers held by later users. Columns: place's value and type, holder_id, identity_id, person_id.
select i.type, i.value, i.holder_id, i.identity_id, i.person_id
from unnest(:types::text[], :values::text[], :holders::bigint[]) w(type, value, holder_id)
join resolve.identities i on i.type = w.type and i.value = w.value and i.holder_id = w.holder_id;

-- name: people_of_identities
-- Whose these identities are. Columns: identity_id, person_id.
select identity_id, person_id from resolve.identities where identity_id = any(:ids::bigint[]);

-- name: identifiers_of_identities
-- What these identities are. Columns: identity_id, type, value.
select identity_id, type, value from resolve.identities where identity_id = any(:ids::bigint[]);

-- name: edges_by_pair
-- Which of these pairs are linked. Columns: strong_id, weak_id, edge_id, at, last_at, rule, trusted, refused, retracted, imported.
select e.strong_id, e.weak_id, e.edge_id, e.at, e.last_at, e.rule, e.trusted, e.refused, e.retracted_at is not null, e.evidence is not null
from unnest(:strongs::bigint[], :weaks::bigint[]) w(strong_id, weak_id)
join resolve.edges e on e.strong_id = w.strong_id and e.weak_id = w.weak_id;

-- name: aliases_of
-- Alias links to browser ids that bear one of these values, which are user ids too. Columns: value, strong_id, user's value, at, trusted, source_id, message_id.
select i.value, e.strong_id, s.value, e.at, e.trusted, e.source_id, e.message_id
from json_array_elements_text(:values::json) w(value)
join resolve.identities i on i.value = w.value and i.type = 'anonymous_id' and i.holder_id = 0
join resolve.edges e on e.weak_id = i.identity_id and e.rule = 'alias'
join resolve.identities s on s.identity_id = e.strong_id and s.type = 'user_id';

-- name: groups
-- How many identifiers of each type these people hold, when their latest link was, whether one was refused, how often they grew by others. Columns: person_id, type, number, last_at, refused, merges.
select m.person_id, m.type, count(*), max(l.last_at), coalesce(bool_or(l.refused), false), coalesce(sum(m.merges) filter (where m.identity_id = p.id), 0)
from unnest(:people::bigint[]) p(id)
cross join lateral resolve.identities_of(p.id) m
cross join lateral (
    select max(e.at) as last_at, bool_or(e.refused is not null) as refused
    from (
        select at, refused from resolve.edges where strong_id = m.identity_id and retracted_at is null
        union all
        select at, refused from resolve.edges where weak_id = m.identity_id and retracted_at is null
    ) e
) l
where m.holder_id = 0
group by m.person_id, m.type;

-- name: first_links
-- When each identifier of these types was first linked to its person. Columns: person_id, type, identity_id, at.
select m.person_id, m.type, m.identity_id, min(l.at)
from unnest(:people::bigint[]) p(id)
cross join lateral resolve.identities_of(p.id) m
cross join lateral (
    select at from resolve.edges where strong_id = m.identity_id and refused is null and retracted_at is null
    union all
    select at from resolve.edges where weak_id = m.identity_id and refused is null and retracted_at is null
) l
where m.type = any(:types::text[]) and m.holder_id = 0
group by m.person_id, m.type, m.identity_id;

-- name: note_merges!
-- How often each of these people grew by another who held two identifiers or more.
update resolve.identities i set merges = m.merges from unnest(:ids::bigint[], :merges::integer[]) m(identity_id, merges) where i.identity_id = m.identity_id;

-- name: move_people
-- Joins whole people to others, and logs whose every identity was; by index, also before the planner knows how large the table has grown. Columns: identity_id, person_id.
with change as (
    select * from unnest(:olds::bigint[], :news::bigint[], :edges::bigint[]) c(old_person, new_person, edge_id)
), theirs as (
    select old_person as identity_id, * from change
    union all
    select i.identity_id, c.* from change c
    cross join lateral (select identity_id from resolve.identities where person_id = c.old_person and person_id <> identity_id offset 0) i
), logged as (
    insert into resolve.moves (identity_id, from_person, to_person, edge_id, cause, actor, rule, event_at, source_id, message_id)
    select t.identity_id, t.old_person, t.new_person, t.edge_id, 'link', 'intake', e.rule, e.at, e.source_id, e.message_id
    from theirs t join resolve.edges e on e.edge_id = t.edge_id
)
update resolve.identities i set person_id = t.new_person from theirs t
where i.identity_id = any(array(select identity_id from theirs)) and i.identity_id = t.identity_id returning i.identity_id, i.person_id;

-- name: move_identities!
-- Gives identities to the people they belong to now, and logs it.
with change as (
    select * from unnest(:ids::bigint[], :olds::bigint[], :news::bigint[]) c(identity_id, old_person, new_person)
), logged as (
    insert into resolve.moves (identity_id, from_person, to_person, edge_id, cause, actor, rule, event_at, source_id, message_id)
    select c.identity_id, c.old_person, c.new_person, :edge_id, :cause, :actor, e.rule, e.at, e.source_id, e.message_id
    from change c left join resolve.edges e on e.edge_id = :edge_id
)
update resolve.identities i set person_id = c.new_person from change c where i.identity_id = c.identity_id;

-- name: change_edges!
-- An earlier first event or a stronger authority for links that are known.
update resolve.edges e set at = c.at, rule = c.rule, trusted = c.trusted, source_id = coalesce(c.source_id, e.source_id), message_id = coalesce(c.message_id, e.message_id)
from unnest(:ids::bigint[], :ats::timestamptz[], :rules::text[], :trusted::boolean[], :sources::integer[], :messages::text[]) c(edge_id, at, rule, trusted, source_id, message_id)
where e.edge_id = c.edge_id;

-- name: refuse_edges!
-- What became of links: a reason, or null for accepted.
update resolve.edges e set refused = c.refused from unnest(:ids::bigint[], :refused::text[]) c(edge_id, refused) where e.edge_id = c.edge_id;

-- name: note_latest!
-- The newest event that showed a pair, for browsers that changed hands.
update resolve.edges e set last_at = c.at from unnest(:strongs::bigint[], :weaks::bigint[], :ats::timestamptz[]) c(strong_id, weak_id, at)
where e.strong_id = c.strong_id and e.weak_id = c.weak_id and e.last_at < c.at;

-- name: users_of_places
-- Who used these browsers, the newest 1,000 each. Columns: place's id, strong_id, at, last_at, refused.
select p.id, e.strong_id, e.at, e.last_at, e.refused
from unnest(:places::bigint[]) p(id)
cross join lateral (
    select strong_id, at, last_at, refused from resolve.edges where weak_id = p.id and retracted_at is null order by last_at desc limit 1000
) e;

-- name: people_linked_since
-- Other people with a link to these that is not older than :at, accepted or not.
select distinct o.person_id
from unnest(:people::bigint[]) p(id)
cross join lateral resolve.identities_of(p.id) m
cross join lateral (
    select weak_id as other_id from resolve.edges where strong_id = m.identity_id and at >= :at and retracted_at is null
    union all
    select strong_id from resolve.edges where weak_id = m.identity_id and at >= :at and retracted_at is null
) e
join resolve.identities o on o.identity_id = e.other_id
where m.holder_id = 0 and not exists (select 1 from unnest(:known::bigint[]) k(id) where k.id = o.person_id);

-- name: members
-- Every identity of these people, those held on browsers too. Columns: identity_id, type, value, holder_id, person_id, merges.
select m.identity_id, m.type, m.value, m.holder_id, m.person_id, m.merges
from unnest(:people::bigint[]) p(id)
cross join lateral resolve.identities_of(p.id) m;

-- name: edges_within
-- Links between these identities. Columns: edge_id, strong_id, weak_id, at, rule, trusted, refused.
select e.edge_id, e.strong_id, e.weak_id, e.at, e.rule, e.trusted, e.refused
from unnest(:ids::bigint[]) i(id)
join resolve.edges e on e.strong_id = i.id
join unnest(:ids::bigint[]) w(id) on w.id = e.weak_id
where e.retracted_at is null;

-- name: confirm_edge$
-- A link that a person made between two identities; one that was refused or taken back counts again, and outlives the imports that showed it. Its edge_id.
insert into resolve.edges as e (edge_id, strong_id, weak_id, rule, trusted, at, last_at, source_id, message_id)
values (nextval('resolve.edge_ids'), :strong, :weak, 'confirmed', true, :now, :now, 0, :reason)
on conflict (strong_id, weak_id) do update set rule = 'confirmed', trusted = true, refused = null, retracted_at = null, retracted_by = null, retracted_why = null,
    evidence = e.evidence || jsonb_build_object('0', jsonb_build_array(
        coalesce(e.evidence #> '{0,0}', to_jsonb(excluded.at)), 'confirmed', true,
        coalesce(e.evidence #> '{0,3}', to_jsonb(excluded.source_id)), coalesce(e.evidence #> '{0,4}', to_jsonb(excluded.message_id)), excluded.at))
returning edge_id;

-- name: retract_edge^
-- Takes a link back for good; later sightings of the same pair do not revive it. Columns: strong_id, weak_id, at; none when unknown or taken back before.
update resolve.edges set retracted_at = :now, retracted_by = :actor, retracted_why = :why, refused = null
where edge_id = :edge_id and retracted_at is null returning strong_id, weak_id, at;

-- name: identity_map
-- Whose every identity is that is not its own person. Columns: identity_id, person_id.
select identity_id, person_id from resolve.identities where person_id <> identity_id;

-- name: addresses_of_people
-- Every identity of these people, and of each person the newest identifier of a type that was not released.
select p.id, array_agg(m.identity_id order by m.identity_id),
    (array_agg(m.identity_id order by m.first_seen_at desc, m.identity_id desc) filter (where m.type = :kind and reaches))[1],
    (array_agg(m.value order by m.first_seen_at desc, m.identity_id desc) filter (where m.type = :kind and reaches))[1]
from unnest(:people::bigint[]) p(id)
cross join lateral resolve.identities_of(p.id) m
cross join lateral (select m.until = 'infinity' or m.holder_id <> 0 as reaches) r
group by p.id;

-- name: identifiers_of_people
-- Every identifier of these people with the link that brought it. Columns as in KnownIdentifier.
select m.person_id, m.identity_id, m.type, m.value, m.holder_id, m.first_seen_at, m.source_id, e.rule, e.message_id, e.at, nullif(m.until, 'infinity')
from unnest(:people::bigint[]) p(id)
cross join lateral resolve.identities_of(p.id) m
left join lateral (
    select rule, message_id, at from (
        select rule, message_id, at, edge_id from resolve.edges where weak_id = m.identity_id and refused is null and retracted_at is null
        union all
        select rule, message_id, at, edge_id from resolve.edges where strong_id = m.identity_id and refused is null and retracted_at is null
    ) linked order by at, edge_id limit 1
) e on true
order by m.identity_id;

-- name: identities_of_people
-- Every identity of these people, those of a person and a type by value. Columns as in Holding.
select m.person_id, m.identity_id, m.type, m.value, m.first_seen_at, m.holder_id = 0 and m.until <> 'infinity'
from unnest(:people::bigint[]) p(id)
cross join lateral resolve.identities_of(p.id) m
order by m.value collate "C", m.identity_id;

-- name: people_after
-- People in the order of their ids. Columns: person_id.
select identity_id from resolve.identities where person_id = identity_id and identity_id > :after order by identity_id limit :limit;

-- name: people_matching
-- People one of whose identifiers contains a text, or is exactly a browser id. Columns: person_id.
select distinct person_id from resolve.identities
where person_id > :after and (folded like :pattern or (value = :exact and type = any(:places)))
order by person_id limit :limit;

-- name: rows_of_people
-- First sight and identifiers worth showing, for a list. Columns: person_id, first_seen_at, types, values.
select m.person_id, min(m.first_seen_at), array_agg(m.type order by m.identity_id) filter (where m.holder_id = 0), array_agg(m.value order by m.identity_id) filter (where m.holder_id = 0)
from unnest(:people::bigint[]) p(id)
cross join lateral resolve.identities_of(p.id) m
group by m.person_id;

-- name: count_people$
-- How many people there are.
select count(*) from resolve.identities where person_id = identity_id;

-- name: edges_of_people
-- Links that touch these people, refused and retracted ones too. Columns as in Edge.
select e.*
from (
    select edge_id from resolve.edges where strong_id = any(:ids::bigint[])
    union
    select edge_id from resolve.edges where weak_id = any(:ids::bigint[])
) t
join resolve.edges_with_ends e on e.edge_id = t.edge_id
order by e.at, e.edge_id;

-- name: edges_of_people_after
-- A page of the links that touch these people, in the order in which they were seen first. Columns as in Edge.
select e.*
from (
    select edge_id from resolve.edges where strong_id = any(:ids::bigint[]) and edge_id > :after
    union
    select edge_id from resolve.edges where weak_id = any(:ids::bigint[]) and edge_id > :after
    order by edge_id limit :limit
) t
join resolve.edges_with_ends e on e.edge_id = t.edge_id
order by e.edge_id;

-- name: edges_by_id
-- Links by their numbers. Columns as in Edge.
select e.* from resolve.edges_with_ends e where e.edge_id = any(:ids::bigint[]);

-- name: newest_refusals
-- Links refused, newest first, of one reason or all, before a link. Columns as in Edge.
select e.*
from (
    select edge_id from resolve.edges
    where refused is not null and refused = coalesce(:reason, refused) and edge_id < coalesce(:before, 9223372036854775807)
    order by edge_id desc limit :limit
) t
join resolve.edges_with_ends e on e.edge_id = t.edge_id
order by e.edge_id desc;

-- name: moves_of
-- The merge log of these identities. Columns as in Move.
select move_id, moved_at, identity_id, from_person, to_person, cause, actor, edge_id, rule, event_at, source_id, message_id
from resolve.moves where identity_id = any(:ids::bigint[]) order by move_id;

-- name: untold_moves
-- What the warehouse does not know of the merge log. Columns as in Move.
select move_id, moved_at, identity_id, from_person, to_person, cause, actor, edge_id, rule, event_at, source_id, message_id
from resolve.moves where move_id > (select told_moves from resolve.state) order by move_id;

-- name: note_told!
-- Up to here the warehouse knows the merge log.
update resolve.state set told_moves = :move_id;

-- name: count_refusals
-- Refused links by reason and the type of their weaker end. Columns as in Warned.
select e.refused, w.type, count(*), max(e.at)
from resolve.edges e join resolve.identities w on w.identity_id = e.weak_id
where e.refused is not null group by e.refused, w.type;

-- name: count_left_out
-- Identifiers left out, by reason and type. Columns as in Warned.
select reason, type, sum(times)::bigint, max(last_at) from resolve.left_out group by reason, type;

-- name: leave_out!
-- Counts identifiers that were left out.
insert into resolve.left_out (reason, type, source_id, times, last_at, last_message_id)
select :reason, t.type, t.source_id, t.times, t.last_at, t.message_id
from unnest(:types::text[], :sources::integer[], :times::bigint[], :ats::timestamptz[], :messages::text[]) t(type, source_id, times, last_at, message_id)
on conflict (reason, type, source_id) do update
set times = left_out.times + excluded.times, last_at = greatest(left_out.last_at, excluded.last_at), last_message_id = excluded.last_message_id;

-- name: evidence_of
-- What is known of links, and which side saw it. Columns: edge_id, at, rule, trusted, source_id, message_id, last_at, evidence.
select edge_id, at, rule, trusted, source_id, message_id, greatest(at, last_at), evidence from resolve.edges where edge_id = any(:ids::bigint[]);

-- name: set_evidence!
-- Which side saw what of links; null: no import did.
update resolve.edges e set evidence = c.evidence::jsonb from unnest(:ids::bigint[], :evidence::text[]) c(edge_id, evidence) where e.edge_id = c.edge_id;

-- name: leave_sides!
-- Links as some sides saw them, and which did; null: no import did.
update resolve.edges e set at = c.at, rule = c.rule, trusted = c.trusted, source_id = c.source_id, message_id = c.message_id, last_at = c.last_at,
    evidence = c.evidence::jsonb
from unnest(:ids::bigint[], :ats::timestamptz[], :rules::text[], :trusted::boolean[], :sources::integer[], :messages::text[], :lasts::timestamptz[], :evidence::text[])
    c(edge_id, at, rule, trusted, source_id, message_id, last_at, evidence)
where e.edge_id = c.edge_id;

-- name: drop_edges_of_import
-- Delete links that nobody but an import showed; one that a person took back stays so, as long as both identifiers are known. Columns: strong_id, weak_id, at.
with gone as (
    delete from resolve.edges where evidence ? :import_id and evidence - :import_id::text = '{}' and (retracted_at is null or retracted_by = 'rules')
    returning strong_id, weak_id, at
), kept as (
    update resolve.edges set evidence = '{}'
    where evidence ? :import_id and evidence - :import_id::text = '{}' and retracted_at is not null and retracted_by <> 'rules'
    returning strong_id, weak_id, at
)
select * from gone union all select * from kept;

-- name: edges_of_import
-- Links that an import showed, among others. Columns: edge_id, strong_id, weak_id, at, evidence.
select edge_id, strong_id, weak_id, at, evidence from resolve.edges where evidence ? :import_id;

-- name: unsupported
-- Of these identities those that an import made known, and that no link, no later user of a browser and no event of others holds. Links that nobody shows any more hold nothing.
select i.identity_id from resolve.identities i
where i.identity_id = any(:ids::bigint[]) and i.import_id is not null and not i.identity_id = any(:kept::bigint[])
    and not exists (select from resolve.edges e where e.strong_id = i.identity_id and e.rule <> 'same' and e.evidence is distinct from '{}')
    and not exists (select from resolve.edges e where e.weak_id = i.identity_id and e.rule <> 'same' and e.evidence is distinct from '{}')
    and not exists (select from resolve.identities h where h.holder_id = i.identity_id and h.holder_id <> 0);

-- name: erase_edges!
-- Deletes the links of these identities.
delete from resolve.edges where strong_id = any(:ids::bigint[]) or weak_id = any(:ids::bigint[]);

-- name: erase_moves!
-- Deletes the merge log of these identities.
delete from resolve.moves where identity_id = any(:ids::bigint[]);

-- name: erase_identities!
-- Deletes these identities.
delete from resolve.identities where identity_id = any(:ids::bigint[]);

-- name: live_edges
-- Links that count, without their details, in pages. Columns: edge_id, strong_id, weak_id.
select edge_id, strong_id, weak_id from resolve.edges where edge_id > :after and retracted_at is null order by edge_id limit :limit;

-- name: edges_of_ids
-- The same for links by their ids, retracted or not. Columns: edge_id, strong_id, weak_id.
select edge_id, strong_id, weak_id from resolve.edges where edge_id = any(:ids::bigint[]);

-- name: links_of_ids
-- Links with whose their ends are. Columns: edge_id, at, then type, value, identity_id, person_id of both ends, rule, trusted, refused.
select e.edge_id, e.at, s.type, s.value, s.identity_id, s.person_id, w.type, w.value, w.identity_id, w.person_id, e.rule, e.trusted, e.refused
from unnest(:ids::bigint[]) i(id)
join resolve.edges e on e.edge_id = i.id
join resolve.identities s on s.identity_id = e.strong_id
join resolve.identities w on w.identity_id = e.weak_id;

-- name: people_of_strays
-- People who hold an identifier that no link holds there any more. One pass over both tables, whatever the planner knows of them. Columns: person_id.
select distinct max(person_id)
from (
    select identity_id, person_id from resolve.identities where person_id <> identity_id and holder_id = 0
    union all
    select strong_id, null from resolve.edges where refused is null and retracted_at is null
    union all
    select weak_id, null from resolve.edges where refused is null and retracted_at is null
) t
group by identity_id having count(*) = 1 and count(person_id) = 1;

-- name: greatest_identity$
-- The greatest identity id there is.
select coalesce(max(identity_id), 0) from resolve.identities;

-- name: same_edges
-- Links between addresses that rules read as one. Columns: edge_id, address read as, address, whether the rules took it back.
select e.edge_id, s.value, w.value, e.retracted_at is not null
from resolve.edges e
join resolve.identities s on s.identity_id = e.strong_id
join resolve.identities w on w.identity_id = e.weak_id
where e.rule = 'same' and (e.retracted_at is null or e.retracted_by = 'rules');

-- name: foldable_addresses
-- Addresses that rules may read as others. Columns: identity_id, value, first_seen_at, source_id.
select identity_id, value, first_seen_at, source_id from resolve.identities
where type = 'email' and holder_id = 0 and until = 'infinity' and value ~ '[+]|@(gmail|googlemail)[.]com$';

-- name: retract_edges!
-- Takes links back.
update resolve.edges set retracted_at = :now, retracted_by = :actor, refused = null where edge_id = any(:ids::bigint[]) and retracted_at is null;

-- name: restore_edges!
-- Brings back links that this actor took back.
update resolve.edges set retracted_at = null, retracted_by = null where edge_id = any(:ids::bigint[]) and retracted_by = :actor;

-- name: shared_devices
-- The browsers and phones that several people hold. Columns: identity_id, person_id, sharers.
select o.identity_id, o.person_id, h.sharers
from (
    select i.value, i.type, count(distinct i.person_id) as sharers from resolve.identities i
    join (select distinct value, type from resolve.identities where holder_id <> 0) d on d.value = i.value and d.type = i.type
    group by i.value, i.type having count(distinct i.person_id) > 1
) h
join resolve.identities o on o.value = h.value and o.type = h.type;

-- name: shared_devices_of
-- The browsers and phones that these people hold together with others, of everybody who does. Columns: identity_id, person_id, sharers.
select distinct o.identity_id, o.person_id, h.sharers
from unnest(:people::bigint[]) p(id)
cross join lateral resolve.identities_of(p.id) m
cross join lateral (select count(distinct person_id) as sharers from resolve.identities where value = m.value and type = m.type) h
join resolve.identities o on o.value = m.value and o.type = m.type
where h.sharers > 1;

-- name: graph_nodes
-- The oldest identifiers of each type that a person holds, and how many there are of it. Columns as in Node, then the number.
select identity_id, type, value, holder_id <> 0, first_seen_at, source_id, number
from (
    select *, row_number() over (partition by type order by holder_id <> 0, identity_id) as place, count(*) over (partition by type) as number
    from resolve.identities_of(:person) where person_id = :person
) t where place <= :each;

-- name: edges_among
-- Links between these identities, oldest first. Columns as in Edge.
select e.*
from resolve.edges_with_ends e
where e.strong_id = any(:ids::bigint[]) and e.weak_id = any(:ids::bigint[])
order by e.at, e.edge_id limit :limit;

-- name: edges_outside
-- Links of these identities to identifiers of other people, all refused or taken back, newest first. Columns as in Edge.
select e.*
from (
    select edge_id from resolve.edges where strong_id = any(:ids::bigint[]) and (refused is not null or retracted_at is not null)
    union
    select edge_id from resolve.edges where weak_id = any(:ids::bigint[]) and (refused is not null or retracted_at is not null)
) t
join resolve.edges_with_ends e on e.edge_id = t.edge_id
where e.strong_person <> e.weak_person
order by e.at desc, e.edge_id desc limit :limit;

-- name: bundles
-- How many links these identities have to others of the same person. Columns as in Bundle.
select t.identity_id, o.type, count(*)
from (
    select strong_id as identity_id, weak_id as other_id from resolve.edges where strong_id = any(:ids::bigint[]) and refused is null and retracted_at is null
    union all
    select weak_id, strong_id from resolve.edges where weak_id = any(:ids::bigint[]) and refused is null and retracted_at is null
) t
join resolve.identities o on o.identity_id = t.other_id
where o.person_id = :person and not o.identity_id = any(:ids::bigint[])
group by t.identity_id, o.type order by t.identity_id, o.type;

-- name: edges_page
-- A person's links of every kind, oldest first, after one. Columns as in Edge.
with mine as (
    select identity_id from resolve.identities_of(:person) where person_id = :person
), touched as (
    select e.edge_id from mine m join resolve.edges e on e.strong_id = m.identity_id
    union
    select e.edge_id from mine m join resolve.edges e on e.weak_id = m.identity_id
), page as (
    select e.edge_id from touched t join resolve.edges e on e.edge_id = t.edge_id
    where :at::timestamptz is null or (e.at, e.edge_id) > (:at::timestamptz, :edge_id::bigint)
    order by e.at, e.edge_id limit :limit
)
select e.*
from page t
join resolve.edges_with_ends e on e.edge_id = t.edge_id
order by e.at, e.edge_id;

-- name: moves_page
-- A page of the merge log of a person, from a move on either way: of their identities, and of linked ones that came or left. Columns as in Move.
with mine as (
    select identity_id from resolve.identities_of(:person) where person_id = :person
), linked as (
    select e.weak_id as identity_id from mine m join resolve.edges e on e.strong_id = m.identity_id
    union
    select e.strong_id from mine m join resolve.edges e on e.weak_id = m.identity_id
), asked as (
    select v.move_id from mine m join resolve.moves v on v.identity_id = m.identity_id
    union
    select v.move_id from linked l join resolve.moves v on v.identity_id = l.identity_id and :person in (v.from_person, v.to_person)
)
select v.move_id, v.moved_at, v.identity_id, v.from_person, v.to_person, v.cause, v.actor, v.edge_id, v.rule, v.event_at, v.source_id, v.message_id
from asked a join resolve.moves v on v.move_id = a.move_id
where case when :oldest_first then v.move_id > :start::bigint else v.move_id < :start::bigint end
order by case when :oldest_first then v.move_id else -v.move_id end limit :limit;

-- name: add_release!
-- An identifier names somebody else from a moment on.
insert into resolve.releases (type, value, at, reason, actor, made_at) values (:type, :value, :at, :reason, :actor, :now);

-- name: release_of
-- One release. Columns as in Release.
select release_id, type, value, at, reason, actor, made_at from resolve.releases where release_id = :release_id;

-- name: releases_of_identities
-- Releases of the identifiers that these identities bear or bore. Columns as in Release.
select distinct r.release_id, r.type, r.value, r.at, r.reason, r.actor, r.made_at
from resolve.identities i join resolve.releases r on r.type = i.type and r.value = i.value
where i.identity_id = any(:ids::bigint[]) order by r.at, r.release_id;

-- name: given_up
-- Identities among these, or of all (null), that bore an identifier until its release. Columns: identity_id, type, value.
select i.identity_id, i.type, i.value
from resolve.releases r
join resolve.identities i on i.value = r.value and i.type = r.type and i.holder_id = 0 and i.until = r.at
where :ids::bigint[] is null or i.identity_id = any(:ids::bigint[]);

-- name: drop_release!
-- Takes a release back.
delete from resolve.releases where release_id = :release_id;

-- name: drop_idle_releases!
-- Deletes those of these releases whose identifier nobody bears any more.
delete from resolve.releases r
where r.release_id = any(:ids::bigint[]) and not exists (select from resolve.identities i where i.type = r.type and i.value = r.value);

-- name: close_identity!
-- An identity bears its identifier until a moment; null: until today.
update resolve.identities set until = coalesce(:at::timestamptz, 'infinity') where identity_id = :identity;

-- name: identity_until
-- Who bore an identifier until a moment. Columns: identity_id, person_id.
select identity_id, person_id from resolve.identities where value = :value and type = :type and holder_id = 0 and until = :at;

-- name: held_by
-- Identities that belong to another one of the same type, because they were released and that was taken back. Columns: identity_id.
select identity_id from resolve.identities where holder_id = :identity and type = :type;

-- name: hold!
-- An identity belongs to whoever another one belongs to; the moment keeps it apart from others that were given back before.
update resolve.identities set holder_id = :holder, until = :now where identity_id = :identity;

-- name: add_bearer!
-- Adds an identity for the next bearer of an identifier; made known by an import if the earlier one or one of these links was.
insert into resolve.identities (identity_id, type, value, person_id, first_seen_at, source_id, folded, import_id)
select :identity, type, value, :identity, :at, source_id, folded, coalesce(import_id, (
    select min(side::integer) from resolve.edges e cross join jsonb_object_keys(e.evidence) side where e.edge_id = any(:edges::bigint[]) and side <> '0'
)) from resolve.identities where identity_id = :like;

-- name: edges_seen_since
-- Links of an identity seen at a moment or later. Columns as in NewEdge.
select edge_id, strong_id, weak_id, rule, trusted, at, greatest(at, last_at), source_id, message_id, refused, evidence
from resolve.edges where (strong_id = :identity or weak_id = :identity) and greatest(at, last_at) >= :at;

-- name: move_edges!
-- Gives links of one identity to another.
update resolve.edges set strong_id = case strong_id when :old then :new else strong_id end, weak_id = case weak_id when :old then :new else weak_id end
where edge_id = any(:ids::bigint[]);

-- name: copy_edges_on!
-- Links seen before a moment and after it, once more for the next bearer from that moment on.
insert into resolve.edges (edge_id, strong_id, weak_id, rule, trusted, at, last_at, source_id, message_id, refused, retracted_at, retracted_by, retracted_why, evidence)
select c.copy, case strong_id when :old then :new else strong_id end, case weak_id when :old then :new else weak_id end,
    rule, trusted, :at, last_at, source_id, message_id, refused, retracted_at, retracted_by, retracted_why, evidence
from unnest(:ids::bigint[], :copies::bigint[]) c(edge_id, copy) join resolve.edges e using (edge_id);

-- name: join_edges!
-- What was seen of a pair before and after a release that was taken back, as one link.
update resolve.edges e set rule = :rule, trusted = :trusted, last_at = :last_at, retracted_at = coalesce(e.retracted_at, o.retracted_at),
    at = least(e.at, o.at), source_id = case when o.at < e.at then o.source_id else e.source_id end, message_id = case when o.at < e.at then o.message_id else e.message_id end,
    retracted_by = coalesce(e.retracted_by, o.retracted_by), retracted_why = coalesce(e.retracted_why, o.retracted_why)
from resolve.edges o where e.edge_id = :edge_id and o.edge_id = :other;

-- name: drop_edges!
-- Deletes links.
delete from resolve.edges where edge_id = any(:ids::bigint[]);
