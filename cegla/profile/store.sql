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

-- name: find_switches
-- Which analysers somebody turned on or off, for which purpose, when and who.
select analyser, is_on, purpose, changed_at, changed_by from profile.switches;

-- name: newest_parameters
-- What these analysers learnt last from the own base.
select distinct on (analyser) analyser, version, parameters, learnt_at, people from profile.parameters
where analyser = any(:analysers) order by analyser, version desc;

-- name: keep_parameters<!
-- A new version of what an analyser learnt; returns its number.
insert into profile.parameters (analyser, version, learnt_at, people, parameters)
select :analyser, coalesce(max(version), 0) + 1, :now, :people, :parameters from profile.parameters where analyser = :analyser
returning version;

-- name: forget_parameters!
-- Versions that no finding rests on any more, but for the newest ones.
delete from profile.parameters p where analyser = :analyser and version <= :version - 10;

-- name: make_incoming_findings#
-- A place to copy findings to.
create temp table if not exists incoming_findings (person_id bigint not null, found jsonb not null) on commit delete rows;

-- name: fill_incoming_findings!
-- Copy rows into the place for findings.
copy incoming_findings (person_id, found) from stdin;

-- name: empty_incoming_findings!
-- Make room for the next analyser of the same transaction.
delete from incoming_findings;

-- name: keep_findings!
-- Put findings in place of the ones before; what did not change is not written.
insert into profile.findings as kept (person_id, analyser, found, version, data_version, parameters, purpose, computed_at)
select person_id, :analyser, found, :version, :data_version, :parameters, :purpose, :now from incoming_findings
on conflict (analyser, person_id) do update set found = excluded.found, version = excluded.version, data_version = excluded.data_version,
    parameters = excluded.parameters, purpose = excluded.purpose, computed_at = excluded.computed_at
where (kept.found, kept.version, kept.data_version, kept.parameters, kept.purpose)
    is distinct from (excluded.found, excluded.version, excluded.data_version, excluded.parameters, excluded.purpose);

-- name: drop_findings_unless_incoming!
-- Forget what an analyser once found of these people and does not any more.
delete from profile.findings f where analyser = :analyser and person_id = any(:people)
and not exists (select from incoming_findings i where i.person_id = f.person_id);

-- name: drop_findings_between!
-- Forget what an analyser once found of people in a range of numbers who are not among these any more.
delete from profile.findings f where analyser = :analyser and person_id > :after and person_id <= :upto
and not exists (select from incoming_findings i where i.person_id = f.person_id);

-- name: drop_findings!
-- Forget what all analysers found of these people.
delete from profile.findings where person_id = any(:ids);

-- name: find_findings
-- What analysers found of these people.
select person_id, analyser, found, version, data_version, purpose, computed_at from profile.findings where person_id = any(:people);

-- name: find_minors
-- Identities with a declared birthday after a day, or a declared age below 16.
select identity_id from profile.declared
where key in ('birthday', 'birth_date', 'birthdate', 'date_of_birth', 'age')
and ((value #>> '{}' > :born_after and value #>> '{}' < '3' and key <> 'age') or (value #>> '{}' = any(:ages) and key = 'age'));
