-- name: find_sessions
-- The sessions remembered of these identities.
select identity_id, session_id, started, last, campaign, late_session_id, late_started, late_last, late_campaign
from profile.sessions where identity_id = any(:ids);

-- name: make_incoming_sessions#
-- A place to copy this batch's sessions to.
create temp table if not exists incoming_sessions (like profile.sessions) on commit delete rows;

-- name: empty_incoming_sessions!
-- Make room for the next part of the same transaction.
delete from incoming_sessions;

-- name: keep_sessions!
-- Put this batch's sessions in place of the ones before.
insert into profile.sessions select * from incoming_sessions
on conflict (identity_id) do update set session_id = excluded.session_id, started = excluded.started, last = excluded.last, campaign = excluded.campaign,
    late_session_id = excluded.late_session_id, late_started = excluded.late_started, late_last = excluded.late_last, late_campaign = excluded.late_campaign;

-- name: make_incoming_declared#
-- A place to copy this batch's declared traits to.
create temp table if not exists incoming_declared (like profile.declared) on commit delete rows;

-- name: empty_incoming_declared!
-- Make room for the next part of the same transaction.
delete from incoming_declared;

-- name: keep_declared!
-- Let newer declarations win by the time of their event; equal times go to the one that arrived last.
insert into profile.declared select * from incoming_declared
on conflict (identity_id, key, import_id) do update set value = excluded.value, source_id = excluded.source_id, declared_at = excluded.declared_at
where excluded.declared_at >= profile.declared.declared_at;

-- name: make_incoming_profiles#
-- A place to copy computed facts to.
create temp table if not exists incoming_profiles (person_id bigint not null, facts jsonb not null) on commit delete rows;

-- name: keep_profiles!
-- Put the computed facts in place of the ones before.
insert into profile.profiles (person_id, facts, computed_at) select person_id, facts, :now from incoming_profiles
on conflict (person_id) do update set facts = excluded.facts, computed_at = excluded.computed_at;

-- name: empty_incoming_profiles!
-- Make room for the next part of the same transaction.
delete from incoming_profiles;

-- name: drop_profiles!
-- Forget the facts of people who are no more, or whose history is gone.
delete from profile.profiles where person_id = any(:ids);

-- name: find_profiles
-- The facts of these people.
select person_id, facts, computed_at from profile.profiles where person_id = any(:ids);

-- name: find_declared
-- What was declared of these identities, oldest first; a null value was taken back.
select identity_id, key, value, source_id, declared_at from profile.declared where identity_id = any(:ids) order by declared_at, identity_id, key;

-- name: drop_declared_of_import!
-- Take back what an import declared.
delete from profile.declared where import_id = :import_id;

-- name: drop_declared!
-- Erase what was declared of these identities.
delete from profile.declared where identity_id = any(:ids);

-- name: drop_sessions!
-- Erase the remembered sessions of these identities.
delete from profile.sessions where identity_id = any(:ids);

-- name: fill_incoming_sessions!
-- Copy rows into the place for this batch's sessions.
copy incoming_sessions from stdin (format binary);

-- name: fill_incoming_declared!
-- Copy rows into the place for this batch's declared.
copy incoming_declared from stdin;

-- name: fill_incoming_profiles!
-- Copy rows into the place for this batch's profiles.
copy incoming_profiles (person_id, facts) from stdin;
