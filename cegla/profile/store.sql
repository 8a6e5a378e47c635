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
create temp table if not exists incoming_declared (
    identity_id bigint, key text, value jsonb, source_id integer, declared_at timestamptz, import_id integer, message_id text
) on commit delete rows;

-- name: empty_incoming_declared!
-- Make room for the next part of the same transaction.
delete from incoming_declared;

-- name: keep_declared!
-- Of each source the newest declaration by the time of its event, then by its message id: never by arrival.
insert into profile.declared as kept (identity_id, key, value, source_id, declared_at, import_id, message_id)
select identity_id, key, value, source_id, declared_at, import_id, message_id from incoming_declared
on conflict (identity_id, key, source_id, import_id) do update
set value = excluded.value, declared_at = excluded.declared_at, message_id = excluded.message_id
where (excluded.declared_at, excluded.message_id) >= (kept.declared_at, kept.message_id);

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
-- What was declared of these identities, the one that holds last: by correction, rank of the source, time, message. A null value was taken back.
select identity_id, key, value, source_id, declared_at, message_id, import_id, corrected_by from (
    select d.identity_id, d.key, d.value, d.source_id, d.declared_at, d.message_id, d.import_id, null as corrected_by, coalesce(r.rank, 0) as rank
    from profile.declared d left join profile.source_ranks r using (source_id) where d.identity_id = any(:ids)
    union all
    select identity_id, key, value, 0, corrected_at, '', 0, corrected_by, 2147483647 from profile.corrections where identity_id = any(:ids)
) said order by rank, declared_at, message_id, source_id, import_id, identity_id, key;

-- name: find_declared_of_keys
-- What was declared of these identities about some traits, the word that holds last.
select identity_id, key, value from (
    select d.identity_id, d.key, d.value, d.declared_at, d.message_id, d.source_id, d.import_id, coalesce(r.rank, 0) as rank
    from profile.declared d left join profile.source_ranks r using (source_id) where d.identity_id = any(:ids) and d.key = any(:keys)
    union all
    select identity_id, key, value, corrected_at, '', 0, 0, 2147483647 from profile.corrections where identity_id = any(:ids) and key = any(:keys)
) said order by rank, declared_at, message_id, source_id, import_id, identity_id;

-- name: find_zones
-- The time zone that an analyser found of these people.
select person_id, found #>> '{traits,geo.tz,value}' from profile.findings where person_id = any(:people) and found #> '{traits,geo.tz}' is not null;

-- name: find_declared_of_key
-- What was declared about one trait, of these identities or of all (null), the word that holds last. Columns: identity_id, value, corrected.
select identity_id, value, corrected from (
    select d.identity_id, d.value, false as corrected, d.declared_at, d.message_id, d.source_id, d.import_id, coalesce(r.rank, 0) as rank
    from profile.declared d left join profile.source_ranks r using (source_id) where d.key = :key and (:ids::bigint[] is null or d.identity_id = any(:ids))
    union all
    select identity_id, value, true, corrected_at, '', 0, 0, 2147483647 from profile.corrections where key = :key and (:ids::bigint[] is null or identity_id = any(:ids))
) said order by rank, declared_at, message_id, source_id, import_id, identity_id;

-- name: find_ranks
-- How credible sources are; those without a row are 0.
select source_id, rank from profile.source_ranks order by rank desc, source_id;

-- name: drop_ranks!
-- Forget the ranking, before another is written.
delete from profile.source_ranks;

-- name: add_rank!
-- How credible one source is.
insert into profile.source_ranks (source_id, rank, changed_at, changed_by) values (:source_id, :rank, :now, :actor);

-- name: correct!
-- What a person had corrected.
insert into profile.corrections (identity_id, key, value, corrected_at, corrected_by) values (:identity_id, :key, :value, :now, :actor)
on conflict (identity_id, key) do update set value = excluded.value, corrected_at = excluded.corrected_at, corrected_by = excluded.corrected_by;

-- name: drop_correction!
-- Let the sources speak again about one trait of these identities.
delete from profile.corrections where identity_id = any(:ids) and key = :key;

-- name: drop_corrections!
-- Erase what these people had corrected.
delete from profile.corrections where identity_id = any(:ids);

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

-- name: find_digests_between
-- What an analyser found of people in a range of numbers, as digests.
select person_id, digest from profile.findings where analyser = :analyser and person_id > :after and person_id <= :upto;

-- name: find_digests_of
-- What an analyser found of these people, as digests.
select person_id, digest from profile.findings where analyser = :analyser and person_id = any(:people);

-- name: fill_findings!
-- Copy findings of people of whom the analyser knew nothing.
copy profile.findings (person_id, digest, found, analyser, version, data_version, parameters, purpose, computed_at) from stdin;

-- name: make_incoming_findings#
-- A place to copy findings to that changed.
create temp table if not exists incoming_findings (person_id bigint not null, digest bigint not null, found jsonb not null) on commit delete rows;

-- name: fill_incoming_findings!
-- Copy rows into the place for findings.
copy incoming_findings (person_id, digest, found) from stdin;

-- name: empty_incoming_findings!
-- Make room for the next analyser of the same transaction.
delete from incoming_findings;

-- name: keep_findings!
-- Put findings that changed in place of the ones before.
update profile.findings f set found = i.found, digest = i.digest, version = :version, data_version = :data_version, parameters = :parameters,
    purpose = :purpose, computed_at = :now
from incoming_findings i where f.analyser = :analyser and f.person_id = i.person_id;

-- name: drop_findings!
-- Forget what all analysers found of these people.
delete from profile.findings where person_id = any(:ids);

-- name: find_findings
-- What analysers found of these people.
select person_id, analyser, found, version, data_version, purpose, computed_at from profile.findings where person_id = any(:people);

-- name: find_findings_of
-- What some analysers found of these people.
select person_id, found from profile.findings where person_id = any(:people) and analyser = any(:analysers);

-- name: find_findings_of_trait
-- What an analyser found about one trait, of these people or of all (null). Columns: person_id, value, confidence.
select person_id, found #> array['traits', (:trait)::text, 'value'], (found #>> array['traits', (:trait)::text, 'confidence'])::float8
from profile.findings where analyser = :analyser and found -> 'traits' ? (:trait)::text and (:people::bigint[] is null or person_id = any(:people));

-- name: find_changed_findings
-- Of whom these analysers found something new at a moment.
select distinct person_id from profile.findings where analyser = any(:analysers) and computed_at = :at;

-- name: find_minors
-- Identities with a declared birthday or year of birth after a day, or one of these declared ages; a correction goes before what was declared.
select identity_id from profile.declared d
where (lower(replace(key, '_', '')) in ('birthday', 'birthdate', 'dateofbirth', 'dob', 'birthyear', 'yearofbirth', 'dataurodzenia', 'rokurodzenia') and profile.born_by(value) > :born_after and profile.born_by(value) < '3'
    or key = 'age' and value #>> '{}' = any(:ages))
and not exists (select from profile.corrections c where c.identity_id = d.identity_id and c.key = d.key)
union
select identity_id from profile.corrections
where lower(replace(key, '_', '')) in ('birthday', 'birthdate', 'dateofbirth', 'dob', 'birthyear', 'yearofbirth', 'dataurodzenia', 'rokurodzenia') and profile.born_by(value) > :born_after and profile.born_by(value) < '3' or key = 'age' and value #>> '{}' = any(:ages);

-- name: keep_switch!
-- Turn an analyser on or off.
insert into profile.switches (analyser, is_on, purpose, changed_at, changed_by) values (:analyser, :is_on, :purpose, :now, :actor)
on conflict (analyser) do update set is_on = excluded.is_on, purpose = excluded.purpose, changed_at = excluded.changed_at, changed_by = excluded.changed_by;

-- name: drop_findings_of!
-- Forget what these analysers found of these people.
delete from profile.findings where person_id = any(:people) and analyser = any(:analysers);

-- name: drop_analyser!
-- Forget what an analyser found of anybody: it was turned off.
delete from profile.findings where analyser = :analyser;

-- name: drop_summaries!
-- Forget what the findings of an analyser look like.
delete from profile.summaries where analyser = :analyser;

-- name: drop_parameters!
-- Forget what an analyser learnt: it was turned off.
delete from profile.parameters where analyser = :analyser;

-- name: wait_for_run!
-- Have the next run of every schedule look at these people.
insert into profile.waiting select unnest(:people::bigint[]) on conflict do nothing;

-- name: drop_waiting!
-- These people are gone.
delete from profile.waiting where person_id = any(:ids);

-- name: empty_waiting!
-- Whoever waited was looked at: a run over everybody ended.
delete from profile.waiting;

-- name: find_waiting
-- Whom runs look at although the history does not show it.
select person_id from profile.waiting order by person_id;

-- name: keep_due!
-- People in these ranges (after, upto] are due to an analyser, which failed on them: once, but with a new number, which no run that is at work knows of.
insert into profile.due (analyser, after_person, upto_person) select :analyser, * from unnest(:after::bigint[], :upto::bigint[])
on conflict (analyser, after_person, upto_person) do update set id = default;

-- name: find_due
-- Whom these analysers failed on, as far as a run knows (null: all). Columns: after, upto.
select distinct after_person, upto_person from profile.due where analyser = any(:analysers) and (:upto::bigint is null or id <= :upto);

-- name: newest_due$
-- The number of the newest failure that made somebody due; 0 when nobody is.
select coalesce(max(id), 0) from profile.due;

-- name: drop_due_of_run!
-- A run of these analysers ended, and it looked at everybody who was due when it began.
delete from profile.due where analyser = any(:analysers) and id <= :upto;

-- name: drop_due!
-- These people are gone.
delete from profile.due where upto_person = any(:ids) and after_person = upto_person - 1;

-- name: drop_due_of_analyser!
-- Nobody is due to an analyser that was turned off.
delete from profile.due where analyser = :analyser;

-- name: note_failure!
-- An analyser failed again.
insert into profile.failures as kept (analyser, failures, in_a_row, error, line, failed_at) values (:analyser, 1, 1, :error, :line, :now)
on conflict (analyser) do update set failures = kept.failures + 1, in_a_row = case when kept.failed_at = excluded.failed_at then kept.in_a_row else kept.in_a_row + 1 end,
    error = excluded.error, line = excluded.line, failed_at = excluded.failed_at;

-- name: note_recovery!
-- Analysers to whom nobody is due any more work again.
update profile.failures f set in_a_row = 0 where analyser = any(:analysers) and not exists (select from profile.due d where d.analyser = f.analyser);

-- name: find_failures
-- Analysers that failed ever. Columns: analyser, failures, in a row, error, line, failed at, whether anybody is due, whether everybody is.
select analyser, failures, in_a_row, error, line, failed_at, exists (select from profile.due d where d.analyser = f.analyser),
    exists (select from profile.due d where d.analyser = f.analyser and after_person = 0 and upto_person = :most)
from profile.failures f;

-- name: ask_run<!
-- Ask for a run; returns its number.
insert into profile.runs (analysers, everybody, after_batch, asked_by, asked_at) values (:analysers, :everybody, :after, :actor, :now) returning id;

-- name: next_run
-- The oldest run that is not finished.
select id, analysers, everybody, after_batch, upto_batch, asked_by, asked_at, started_at, finished_at, people, done, last_person, seconds, failed, due_upto
from profile.runs where finished_at is null order by id limit 1;

-- name: find_runs
-- The newest runs, or one.
select id, analysers, everybody, after_batch, upto_batch, asked_by, asked_at, started_at, finished_at, people, done, last_person, seconds, failed, due_upto
from profile.runs where :run::bigint is null or id = :run order by id desc limit :limit;

-- name: note_run!
-- How far a run is.
update profile.runs set upto_batch = :upto, due_upto = :due_upto, started_at = :started_at, finished_at = :finished_at, people = :people, done = :done,
    last_person = :last_person, failed = :failed, seconds = seconds + :seconds where id = :run;

-- name: last_runs
-- Of each analyser that ever ran to the end: up to which batch, when it was asked for last, when it ended, whether one waits now.
select analyser, max(upto_batch) filter (where finished_at is not null), max(asked_at), max(finished_at), bool_or(finished_at is null),
    (array_agg(people order by id desc) filter (where finished_at is not null))[1], (array_agg(seconds order by id desc) filter (where finished_at is not null))[1]
from profile.runs, unnest(analysers) analyser group by analyser;

-- name: forget_runs!
-- Runs that ended long ago, but for the last of each set of analysers.
delete from profile.runs r where finished_at < :before
and exists (select from profile.runs later where later.analysers @> r.analysers and later.id > r.id and later.finished_at is not null);

-- name: keep_summary!
-- What the findings of a trait look like over all people.
insert into profile.summaries (trait, analyser, summary, computed_at) values (:trait, :analyser, :summary, :now)
on conflict (trait) do update set analyser = excluded.analyser, summary = excluded.summary, computed_at = excluded.computed_at;

-- name: find_summaries
-- What the findings look like over all people.
select trait, summary, computed_at from profile.summaries;

-- name: count_findings$
-- Of how many people an analyser found anything.
select count(*) from profile.findings where analyser = :analyser;

-- name: make_sampled_traits#
-- A place for the traits of the people whom distributions are counted over.
create temp table if not exists sampled_traits (trait text not null, person_id bigint not null, value jsonb, confidence float8) with (toast_tuple_target = 8160) on commit delete rows;

-- name: empty_sampled_traits#
-- Make room for the next analyser of the same transaction: rows that were deleted only would be looked at again by each question.
truncate sampled_traits;

-- name: sample_findings$
-- The findings of one analyser about the same share of people every time, everybody for a share of 1, trait by trait; how many people there are.
with sampled as materialized (
    select person_id, found -> 'traits' as traits from profile.findings
    where analyser = :analyser and ((:share)::float8 >= 1 or (hashint8(person_id) & 1048575) < (:share)::float8 * 1048576)
), laid_out as (
    insert into sampled_traits select one.key, person_id, one.value -> 'value', (one.value ->> 'confidence')::float8
    from sampled cross join lateral jsonb_each(traits) one
) select count(*) from sampled;

-- name: count_confidence
-- Of a trait how many people are looked at, know nothing, and are in each tenth of confidence. Columns: tenth (null: unknown), people.
select case when value = 'null' then null else least(floor(confidence * 10), 9)::int end as tenth, count(*)
from sampled_traits where trait = :trait group by 1 order by 1;

-- name: count_words
-- How often each value of a trait occurs. Columns: value, people.
select value #>> '{}' as value, count(*) from sampled_traits where trait = :trait and value #>> '{}' is not null group by 1 order by 2 desc, 1 limit :most;

-- name: count_elements
-- In how many people's lists each value occurs. Columns: value, people.
select element, count(*) from sampled_traits cross join lateral jsonb_array_elements_text(case jsonb_typeof(value) when 'array' then value else '[]' end) element
where trait = :trait group by 1 order by 2 desc, 1 limit :most;

-- name: count_records
-- In how many people's records each name occurs; `part` is where a record has its name. Columns: value, people.
select record ->> (:part)::text as value, count(distinct person_id)
from sampled_traits cross join lateral jsonb_array_elements(case jsonb_typeof(value) when 'array' then value else '[]' end) record
where trait = :trait and record ->> (:part)::text is not null group by 1 order by 2 desc, 1 limit :most;

-- name: count_keys
-- Of how many people each name of a mapping has the greatest share. Columns: value, people.
select top.key, count(*) from sampled_traits cross join lateral (
    select one.key from jsonb_each_text(case jsonb_typeof(value) when 'object' then value else '{}' end) one order by one.value::float8 desc, one.key limit 1) top
where trait = :trait group by 1 order by 2 desc, 1 limit :most;

-- name: count_moments
-- How often a moment lies in each month. Columns: value, people.
select left(value #>> '{}', 7) as value, count(*) from sampled_traits
where trait = :trait and value #>> '{}' is not null group by 1 order by 1 desc limit :most;

-- name: count_numbers
-- A number's distribution in at most so many steps of a round width (1, 2 or 5 of a power of ten). Columns: low and high of a step, both included, people.
with values as (
    select (value #>> '{}')::float8 as value, count(*) as people from sampled_traits where trait = :trait and jsonb_typeof(value) = 'number' group by 1
), bounds as (
    select bool_and(value = floor(value)) as whole, greatest((max(value) - min(value)) / :steps, case when bool_and(value = floor(value)) then 1 else 1e-3 end) as least
    from values
), powers as (select whole, least, 10 ^ floor(log(least::numeric)) as power from bounds where least is not null),
widths as (select whole, (power * case when least <= power then 1 when least <= 2 * power then 2 when least <= 5 * power then 5 else 10 end)::float8 as width from powers)
select (step * width)::numeric(30, 9)::float8, ((step + 1) * width - case when whole then 1 else width * 1e-5 end)::numeric(30, 9)::float8, sum(people)::bigint
from values, widths cross join lateral (select floor((value / width)::numeric(30, 6)) as step) s
group by step, width, whole order by step;

-- name: people_with
-- People of whom a trait has a value: the value itself, a part of a list, or the first name of a mapping. Columns: person_id, confidence.
select person_id, (found #>> array['traits', (:trait)::text, 'confidence'])::float8 from profile.findings
where analyser = :analyser and person_id > :after and (
    found #>> array['traits', (:trait)::text, 'value'] = (:value)::text
    or (jsonb_typeof(found #> array['traits', (:trait)::text, 'value']) = 'array' and (:value)::text in (
        select jsonb_array_elements_text(found #> array['traits', (:trait)::text, 'value'])))
    or (jsonb_typeof(found #> array['traits', (:trait)::text, 'value']) = 'object' and (:value)::text = (
        select key from jsonb_each_text(found #> array['traits', (:trait)::text, 'value']) order by value::float8 desc, key limit 1))
    or ((:part)::text <> '' and jsonb_typeof(found #> array['traits', (:trait)::text, 'value']) = 'array'
        and found #> array['traits', (:trait)::text, 'value'] @> jsonb_build_array(jsonb_build_object((:part)::text, (:value)::text)))
    or (:month and starts_with(found #>> array['traits', (:trait)::text, 'value'], (:value)::text))
) order by person_id limit :limit;

-- name: people_between
-- People of whom a trait's number lies between two, both included. Columns: person_id, confidence.
select person_id, (found #>> array['traits', (:trait)::text, 'confidence'])::float8 from profile.findings
where analyser = :analyser and person_id > :after and jsonb_typeof(found #> array['traits', (:trait)::text, 'value']) = 'number'
and (found #>> array['traits', (:trait)::text, 'value'])::float8 >= :low and (found #>> array['traits', (:trait)::text, 'value'])::float8 <= :high
order by person_id limit :limit;

-- name: current_definitions
-- The computed traits that are defined now: the newest version of each.
select distinct on (key) key, version, document::text, kind, zero, said_pl, said_en, made_at, made_by, removed_at is not null as removed
from profile.definitions order by key, version desc;

-- name: definition_versions
-- Every version of one trait, newest first.
select key, version, document::text, kind, zero, said_pl, said_en, made_at, made_by, removed_at is not null as removed
from profile.definitions where key = :key order by version desc;

-- name: add_definition$
-- Defines a trait anew and returns the version.
insert into profile.definitions (key, version, document, kind, zero, said_pl, said_en, made_at, made_by)
select :key, coalesce(max(version), 0) + 1, :document, :kind, :zero, :said_pl, :said_en, :now, :actor from profile.definitions where key = :key
returning version;

-- name: remove_definition!
-- Says that a trait is gone.
update profile.definitions set removed_at = :now, removed_by = :actor
where key = :key and removed_at is null and version = (select max(version) from profile.definitions where key = :key);

-- name: drop_computed_values!
-- Takes a removed trait's value away from everybody.
update profile.computed set known = known - :key where known ? :key;

-- name: make_incoming_computed#
-- A place to copy the values of computed traits to.
create temp table if not exists incoming_computed (person_id bigint not null, known jsonb not null, due_at timestamptz) on commit delete rows;

-- name: fill_incoming_computed!
-- Copy rows into the place for computed traits.
copy incoming_computed from stdin;

-- name: drop_computed_of_others!
-- Forget the values of these people (null: of everybody) who have none any more.
delete from profile.computed c
where (:ids::bigint[] is null or c.person_id = any(:ids)) and not exists (select from incoming_computed i where i.person_id = c.person_id);

-- name: keep_computed!
-- Put the values in place of the ones before.
insert into profile.computed (person_id, known, computed_at, due_at)
select person_id, jsonb_strip_nulls(known), :now, due_at from incoming_computed
on conflict (person_id) do update set known = excluded.known, computed_at = excluded.computed_at, due_at = excluded.due_at;

-- name: empty_incoming_computed!
-- Make room for the next part of the same transaction.
delete from incoming_computed;

-- name: find_computed
-- The computed traits of these people.
select person_id, known, computed_at from profile.computed where person_id = any(:ids);

-- name: find_due_computed
-- People whose values time alone has changed, those longest due first.
select person_id from profile.computed where due_at <= :now order by due_at limit :limit;

-- name: count_computed
-- How many people have a value of each computed trait.
select key, count(*) from profile.computed, jsonb_object_keys(known) as key group by key;

-- name: drop_computed!
-- Forget the computed traits of people who are no more, or whose history is gone.
delete from profile.computed where person_id = any(:ids);
