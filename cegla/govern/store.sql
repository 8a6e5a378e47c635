-- name: decisions_of_identities
-- Everything these identities ever decided, in the order it was recorded.
select record_id, identity_id, purpose, channel, state, at, source_id, method, (proof ->> 'import')::integer
from govern.decisions d
where identity_id = any(:ids) and state <> 'invalidated'
    and not exists (select from govern.decisions i where i.state = 'invalidated' and i.proof ->> 'invalidates' = d.record_id::text)
order by record_id;

-- name: newest_decisions
-- For each identity the decision on one purpose and channel that was in force at a moment.
select distinct on (identity_id) record_id, identity_id, purpose, channel, state, at, source_id, method, (proof ->> 'import')::integer
from govern.decisions d
where identity_id = any(:ids) and purpose = :purpose and channel = :channel and at <= :at and state <> 'invalidated'
    and (cast(:known as timestamptz) is null or recorded_at <= :known)
    and not exists (select from govern.decisions i where i.state = 'invalidated' and i.proof ->> 'invalidates' = d.record_id::text and i.at <= :at)
order by identity_id, at desc, record_id desc;

-- name: heads^
-- The newest decision and the newest pause.
select coalesce((select max(record_id) from govern.decisions), 0), coalesce((select max(id) from govern.pauses), 0);

-- name: said_since
-- Which of these identities decided or paused after these.
select identity_id from govern.decisions where identity_id = any(:ids) and record_id > :record_id
union
select identity_id from govern.pauses where identity_id = any(:ids) and id > :pause_id;

-- name: suppressed_since$
-- Whether an address was put on the suppression list after a moment.
select exists (select from govern.suppressed where at > :at);

-- name: objectors
-- Identities whose newest decision on profiling is a no.
select identity_id
from (
    select distinct on (identity_id) identity_id, state
    from govern.decisions d
    where purpose = 'profiling' and state <> 'invalidated'
        and not exists (select from govern.decisions i where i.state = 'invalidated' and i.proof ->> 'invalidates' = d.record_id::text)
    order by identity_id, at desc, record_id desc
) as newest
where state <> 'given';

-- name: append_linked_decisions#
-- Append decisions to the ledger with their numbers and links.
copy govern.decisions (record_id, identity_id, purpose, channel, state, at, recorded_at, source_id, method, proof, follows, link) from stdin;

-- name: keep_seals_out!
-- Let nobody seal the ledger until this transaction ends: the numbers it takes now would lie under a seal that does not know them.
lock table govern.decisions in row exclusive mode;

-- name: hold_chains!
-- Let nobody else add to the chains of these identities until this transaction ends; after `keep_seals_out`.
select govern.hold_chains(:ids);

-- name: next_records
-- Numbers for decisions, in their order.
select nextval('govern.decisions_record_id_seq') from generate_series(1, cast(:count as bigint));

-- name: last_links
-- The newest decision of each of these identities, and its link.
select last.identity_id, last.record_id, last.link
from unnest(cast(:ids as bigint[])) as asked (identity_id)
cross join lateral (
    select d.identity_id, d.record_id, d.link from govern.decisions d where d.identity_id = asked.identity_id order by d.record_id desc limit 1
) as last;

-- name: append_decisions#
-- Append decisions to the ledger; the database numbers and links them.
copy govern.decisions (identity_id, purpose, channel, state, at, recorded_at, source_id, method, proof) from stdin;

-- name: ledger_of_identities
-- The whole ledger of these identities with proof, oldest first, for the person's own export.
select record_id, identity_id, purpose, channel, state, at, recorded_at, source_id, method, proof
from govern.decisions
where identity_id = any(:ids)
order by at, record_id;

-- name: note_import_outside!
-- Leave word for intake that it has to look again at what the people of an import decided.
insert into govern.changed_outside (identity_id)
select distinct identity_id from govern.decisions where proof ? 'import' and proof ->> 'import' = :import_id::text;

-- name: hold_chains_of_import!
-- Let nobody else add to the chains that an import added to, and to these, until this transaction ends: all at once and in order, as a batch does.
select govern.hold_chains(array_agg(distinct identity_id))
from (
    select identity_id from govern.decisions where proof ? 'import' and proof ->> 'import' = :import_id::text
    union all select unnest(:ids::bigint[])
) as concerned;

-- name: invalidate_import!
-- Take back the decisions that an import brought: the record of that stands beside each of them.
insert into govern.decisions (identity_id, purpose, channel, state, at, recorded_at, source_id, method, proof)
select identity_id, purpose, channel, 'invalidated', :now, :now, source_id, 'import undone', jsonb_build_object('invalidates', record_id::text, 'undone', :import_id::text)
from govern.decisions d
where d.proof ? 'import' and d.proof ->> 'import' = :import_id::text and d.state <> 'invalidated'
    and not exists (select from govern.decisions i where i.state = 'invalidated' and i.proof ->> 'invalidates' = d.record_id::text);

-- name: delete_decisions!
-- Remove the decisions of an erased person; their links, which name nobody, stay for the seals.
with gone as (delete from govern.decisions where identity_id = any(:ids) returning record_id, link)
insert into govern.erased_links (record_id, link) select record_id, link from gone;

-- name: first_broken_decision$
-- The first decision that does not follow from the one of the same identity before it: it was changed, or two follow the same one.
select min(one.record_id)
from (
    select d as whole, d.record_id, d.link, d.follows, lag(d.record_id) over (partition by d.identity_id order by d.record_id) as before
    from govern.decisions d
) as one
left join govern.decisions before on before.record_id = one.follows
where one.link is distinct from govern.link(coalesce(before.link, ''), one.whole) or one.follows is distinct from one.before;

-- name: lock_ledger!
-- Wait until whoever writes to the ledger is done, and let nobody begin until this transaction ends.
lock table govern.decisions in share mode;

-- name: add_seal^
-- Seal the stretch of the ledger since the last seal, if it has anything.
insert into govern.seals (number, after_record, up_to_record, decisions, sum, at)
select coalesce((select max(number) from govern.seals), 0) + 1, last.record, max(record_id), count(*),
    sum(('x' || encode(substr(link, 1, 8), 'hex'))::bit(64)::bigint), :now
from (select coalesce(max(up_to_record), 0) as record from govern.seals) as last
join (select record_id, link from govern.decisions union all select record_id, link from govern.erased_links) as kept on kept.record_id > last.record
group by last.record
having count(*) > 0
returning number, up_to_record, decisions, sum::text;

-- name: first_broken_seal$
-- The first seal whose stretch of the ledger is not what it was.
select min(seals.number)
from govern.seals
left join lateral (
    select count(*) as decisions, coalesce(sum(('x' || encode(substr(link, 1, 8), 'hex'))::bit(64)::bigint), 0) as sum
    from (
        select link from govern.decisions where record_id > after_record and record_id <= up_to_record
        union all
        select link from govern.erased_links where record_id > after_record and record_id <= up_to_record
    ) as kept
) as now on true
where now.decisions <> seals.decisions or now.sum <> seals.sum;

-- name: last_seal^
-- The newest seal.
select number, up_to_record, decisions, at from govern.seals order by number desc limit 1;

-- name: register_as_of^
-- Which version of the register counted at a moment; now, if none is given.
select number, digest from govern.register where cast(:at as timestamptz) is null or made_at <= :at order by number desc limit 1;

-- name: register_document$
-- The document of one version of the register.
select document from govern.register where number = :number;

-- name: register_digest$
-- The digest of one version of the register.
select digest from govern.register where number = :number;

-- name: register_versions
-- Every version of the register, newest first.
select number, made_at, made_by, why from govern.register order by number desc;

-- name: lock_register!
-- Let one transaction at a time change the register.
select pg_advisory_xact_lock(7236457);

-- name: add_register!
-- Put a version of the register in force.
insert into govern.register (number, document, digest, made_at, made_by, why) values (:number, :document, :digest, :now, :actor, :why);

-- name: add_pauses!
-- People want no messages until a moment.
insert into govern.pauses (identity_id, until, at, method, proof)
select unnest(cast(:ids as bigint[])), :until, :now, :method, :proof;

-- name: paused
-- Which of these identities wanted no messages at a moment, and until when.
select identity_id, until
from (select distinct on (identity_id) identity_id, until from govern.pauses where identity_id = any(:ids) and at <= :at order by identity_id, id desc) as newest
where until > :at;

-- name: pauses_of
-- Every pause of these identities.
select identity_id, until, at, method, proof from govern.pauses where identity_id = any(:ids) order by id;

-- name: delete_pauses!
-- Remove the pauses of an erased person.
delete from govern.pauses where identity_id = any(:ids);

-- name: note_changed_outside!
-- Leave word for intake that it has to look again at what these identities decided.
insert into govern.changed_outside (identity_id) select unnest(cast(:ids as bigint[]));

-- name: take_changed_outside
-- Whose decisions changed outside intake since the last batch.
delete from govern.changed_outside returning identity_id;

-- name: bar_identities!
-- Refuse what still arrives for these identities.
insert into govern.barred (identity_id, at)
select unnest(cast(:ids as bigint[])), :now
on conflict do nothing;

-- name: barred_identities
-- Which of these identities belong to erased people.
select identity_id from govern.barred where identity_id = any(:ids);

-- name: any_barred$
-- Whether anybody was ever erased.
select exists (select from govern.barred);

-- name: suppress!
-- Put an address on the suppression list; the first time of each reason stays.
insert into govern.suppressed (fingerprint, channel, reason, at)
values (:fingerprint, :channel, :reason, :now)
on conflict do nothing;

-- name: suppressions
-- Reasons for which these addresses are suppressed on a channel, at a moment, by what came after another.
select fingerprint, reason
from govern.suppressed
where fingerprint = any(cast(:fingerprints as bytea[])) and channel = :channel and at <= :at and at > :since;

-- name: lock_audit!
-- Let one transaction at a time lengthen the audit chain.
select pg_advisory_xact_lock(7236455);

-- name: last_audit_row^
-- The end of the audit chain.
select number, hash from govern.audit order by number desc limit 1;

-- name: append_audit_row!
-- Lengthen the audit chain by one row.
insert into govern.audit (number, at, actor, action, target, detail, hash)
values (:number, :at, :actor, :action, :target, :detail, :hash);

-- name: newest_audit_rows
-- The newest rows of the audit log.
select number, at, actor, action, target, detail, hash from govern.audit order by number desc limit :most;

-- name: audit_rows_about
-- The newest rows of the audit log about a target.
select number, at, actor, action, target, detail, hash from govern.audit where target = :target order by number desc limit :most;

-- name: audit_rows_on_history
-- The newest rows of the audit log about what was written again or removed of the history.
select number, at, actor, action, target, detail, hash from govern.audit where starts_with(action, 'history.') order by number desc limit :most;

-- name: audit_rows
-- The whole audit log in order, for the check of its chain.
select number, at, actor, action, target, detail, hash from govern.audit order by number;

-- name: keep_reason!
-- Why somebody did what a row of the audit log says, in their own words.
insert into govern.reasons (number, at, target, why) values (:number, :at, :target, :why);

-- name: forget_reasons!
-- Forgets reasons older than a moment.
delete from govern.reasons where at < :before;

-- name: reasons_of
-- Why, by rows of the audit log. Columns: number, why.
select number, why from govern.reasons where number = any(:numbers::bigint[]);

-- name: reasons_about
-- Why somebody looked at any of these. Columns: at, why.
select at, why from govern.reasons where target = any(:targets::text[]) order by number;

-- name: erase_reasons!
-- Erases why somebody looked at any of these.
delete from govern.reasons where target = any(:targets::text[]);

-- name: any_user$
-- Whether the installation has a user yet.
select exists (select from govern.users);

-- name: put_user!
-- Make a user, or give the user of that name a new password.
insert into govern.users (name, role, password_hash, created_at, password_set_at)
values (:name, :role, :password_hash, :now, :now)
on conflict (name) do update set password_hash = excluded.password_hash, password_set_at = excluded.password_set_at, failures = 0;

-- name: user_by_name^
-- What signing in needs to know about a user.
select id, name, role, password_hash, failures, failed_at from govern.users where name = :name;

-- name: count_failure!
-- One more wrong password.
update govern.users set failures = failures + 1, failed_at = :now where id = :user_id;

-- name: clear_failures!
-- The right password was given.
update govern.users set failures = 0 where id = :user_id and failures > 0;

-- name: add_session!
-- A person signed in.
insert into govern.sessions (token_hash, user_id, created_at, seen_at) values (:token_hash, :user_id, :now, :now);

-- name: session^
-- The user behind a session, and how old and how idle it is.
select users.id, users.name, users.role, sessions.created_at, sessions.seen_at
from govern.sessions
join govern.users on users.id = sessions.user_id
where token_hash = :token_hash;

-- name: touch_session!
-- The session is in use.
update govern.sessions set seen_at = :now where token_hash = :token_hash;

-- name: delete_session!
-- A person signed out, or the session is too old.
delete from govern.sessions where token_hash = :token_hash;

-- name: delete_sessions_of!
-- End the sessions of a user, except the one that asked.
delete from govern.sessions
using govern.users
where users.id = sessions.user_id and users.name = :name and token_hash is distinct from :kept;

-- name: requests_waiting
-- Requests for e-mail that no letter went out for and nothing was decided after, with the letters of late to the same person for the same purpose.
select asked.record_id, asked.identity_id, asked.purpose, asked.at, asked.proof ->> 'language',
    (select count(*) from govern.confirmations c where c.identity_id = asked.identity_id and c.purpose = asked.purpose and c.letter_at > :since),
    (select max(letter_at) from govern.confirmations c where c.identity_id = asked.identity_id and c.purpose = asked.purpose)
from govern.decisions asked
where asked.state = 'requested' and asked.channel = 'email'
    and not exists (select from govern.confirmations c where c.record_id = asked.record_id)
    and not exists (
        select from govern.decisions later
        where later.identity_id = asked.identity_id and later.purpose = asked.purpose and later.channel = asked.channel
            and later.record_id > asked.record_id and later.at >= asked.at
    )
order by asked.record_id
limit :most;

-- name: request^
-- A request that waits to be confirmed.
select identity_id, purpose, at, proof ->> 'language' from govern.decisions where record_id = :record_id and state = 'requested' and channel = 'email';

-- name: settle_request!
-- Say what became of a request.
insert into govern.confirmations (record_id, identity_id, purpose, letter_at, outcome, settled_at)
select record_id, identity_id, purpose, cast(:letter_at as timestamptz), :outcome, :now from govern.decisions where record_id = :record_id
on conflict (record_id) do nothing;

-- name: forget_request!
-- A letter that no server took did not leave.
delete from govern.confirmations where record_id = :record_id;

-- name: delete_confirmations!
-- Remove what became of an erased person's requests.
delete from govern.confirmations where identity_id = any(:ids);

-- name: confirmations_of
-- What became of these identities' requests.
select record_id, identity_id, purpose, letter_at, outcome from govern.confirmations where identity_id = any(:ids) order by record_id;

-- name: records
-- Decisions by their numbers, with proof and links.
select record_id, identity_id, purpose, channel, state, at, recorded_at, source_id, method, proof, follows, link from govern.decisions where record_id = any(:ids);

-- name: retention_standing
-- Which classes of history were announced to be removed by their age, and when they last were.
select class, days, announced_at, due, removed_at, removed from govern.retention;

-- name: announce_retention!
-- Say what would go of a class kept for so many days, once for each number of days.
insert into govern.retention (class, days, announced_at, due) values (:key, :days, :now, :due)
on conflict (class) do update set days = excluded.days, announced_at = excluded.announced_at, due = excluded.due;

-- name: mark_removed!
-- Note what was removed of a class. Whoever removes by hand has seen what goes, so that counts as announced.
insert into govern.retention (class, days, announced_at, due, removed_at, removed) values (:key, :days, :now, :removed, :now, :removed)
on conflict (class) do update set removed_at = excluded.removed_at, removed = excluded.removed,
    announced_at = case when govern.retention.days = excluded.days then govern.retention.announced_at else excluded.announced_at end,
    days = excluded.days;

-- name: newest_erasure$
-- The number under which the audit log has the last erasure of a person or the last import that was undone; null when there was none.
select max(number) from govern.audit where action in ('person.erase', 'import.undone');
