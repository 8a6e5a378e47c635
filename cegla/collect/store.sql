-- name: sources
-- All sources, oldest first.
select id, key, secret_hash, name, kind, basis, enabled, largest_event_bytes, origins, largest_request_bytes, most_events, requests_per_second from collect.sources order by id;

-- name: source_named^
-- The source of a name.
select id, key, secret_hash, name, kind, basis, enabled, largest_event_bytes, origins, largest_request_bytes, most_events, requests_per_second from collect.sources where name = :name;

-- name: secret_holder^
-- The source of a secret key, present or former.
select id, key, secret_hash, name, kind, basis, enabled, largest_event_bytes, origins, largest_request_bytes, most_events, requests_per_second from collect.sources
where secret_hash = :secret_hash or id = (select source_id from collect.former_keys where secret_hash = :secret_hash and revoked_at is null);

-- name: keys
-- Every key that works, present or former, with the present write key and the limits of its source.
select k.key, k.secret_hash, s.id, s.key, s.enabled, s.origins, s.largest_request_bytes, s.requests_per_second
from collect.sources s cross join lateral (
    select s.key, s.secret_hash
    union all
    select f.key, f.secret_hash from collect.former_keys f where f.source_id = s.id and f.revoked_at is null
) k;

-- name: change_source!
-- What a source may do and how much; null limits are the installation's.
update collect.sources set enabled = :enabled, origins = :origins, largest_event_bytes = :largest_event_bytes,
    largest_request_bytes = :largest_request_bytes, most_events = :most_events, requests_per_second = :requests_per_second
where id = :id;

-- name: keep_former_key!
-- The present write key or secret key of a source becomes a former one, which works on.
insert into collect.former_keys (source_id, key, secret_hash, replaced_at)
select id, case when :secret then null else key end, case when :secret then secret_hash end, :now from collect.sources
where id = :id and (not :secret or secret_hash is not null);

-- name: replace_key!
-- A new write key or a new secret key, whichever is given.
update collect.sources set key = coalesce(:key, key), secret_hash = coalesce(:secret_hash, secret_hash) where id = :id;

-- name: revoke_former_keys!
-- No former key of a source works any more.
update collect.former_keys set revoked_at = :now where source_id = :id and revoked_at is null;

-- name: former_keys
-- How many former keys of each source still work.
select source_id, count(*) from collect.former_keys where revoked_at is null group by source_id;

-- name: count_refused!
-- Add to the requests refused today, for sources that exist.
insert into collect.refused as r (source_id, day, why, requests, last_at)
select c.source_id, (:now::timestamptz at time zone 'UTC')::date, c.why, c.requests, :now
from unnest(:sources::integer[], :whys::text[], :counts::bigint[]) as c (source_id, why, requests) join collect.sources s on s.id = c.source_id
order by c.source_id, c.why
on conflict (source_id, day, why) do update set requests = r.requests + excluded.requests, last_at = greatest(r.last_at, excluded.last_at);

-- name: refused
-- Requests refused in the last seven days, by source and reason, the most first.
select source_id, why, sum(requests)::bigint from collect.refused
where day > (statement_timestamp() at time zone 'UTC')::date - 7 group by source_id, why order by source_id, 3 desc;

-- name: trim_refused!
-- Forget what was refused before a day.
delete from collect.refused where day < :before;

-- name: add_source!
-- A new source; nothing when the name is taken.
insert into collect.sources (key, secret_hash, name, kind, basis, created_at)
values (:key, :secret_hash, :name, :kind, :basis, :created_at)
on conflict (name) do nothing;

-- name: lock_writer^
-- The writer of a source, locked until the transaction ends; made when it is new.
insert into collect.writers (source_id) values (:source_id)
on conflict (source_id) do update set source_id = excluded.source_id
returning writer, last_number, last_link;

-- name: open_writer^
-- A fresh writer for a collector process, and when it was born.
with opened as (insert into collect.writers default values returning writer, opened_at),
    placed as (insert into collect.positions (writer) select writer from opened)
select writer, opened_at from opened;

-- name: place_writer!
-- Intake's place behind a writer.
insert into collect.positions (writer) values (:writer) on conflict do nothing;

-- name: move_writer!
-- The end of a source writer's chain.
update collect.writers set last_number = :last_number, last_link = :last_link where writer = :writer;

-- name: copy_requests!
-- Requests of one writer, in the order of `committer.Row`.
copy collect.inbox (writer, number, link, source_id, events, trusted, gpc, received_at, kind, ip, user_agent, trace, body) from stdin (format binary);

-- name: end_of_chain^
-- The last request a writer has committed, also when it was taken in and forgotten since.
select e.number, e.link from (
    (select number, link from collect.inbox where writer = :writer order by number desc limit 1)
    union all
    select taken, link from collect.positions where writer = :writer
) e order by e.number desc limit 1;

-- name: take
-- Requests not taken in yet, up to about :most_events events, fairly from all writers, each writer's in order and without holes; of the
-- writers named those beyond a number. A request weighs as many events as it holds, or as fill its bytes.
with places as (
    select p.writer, greatest(p.taken, h.number) as taken
    from collect.positions p left join unnest(:writers::integer[], :numbers::bigint[]) as h (writer, number) using (writer)
), candidates as (
    select r.writer, r.number, r.weight, sum(r.weight) over (partition by r.writer order by r.number) as running
    from places p
    cross join lateral (
        select i.writer, i.number, greatest(i.events, 1, octet_length(i.body) / :event_bytes) as weight from collect.inbox i
        where i.writer = p.writer and i.number > p.taken order by i.number limit :most_events
    ) r
), chosen as (
    select writer, number, sum(weight) over (order by running, writer) - weight as before from candidates
)
select i.writer, i.number, i.source_id, i.events, i.kind, i.trusted, i.gpc, i.received_at, i.ip, i.user_agent, i.trace, i.link, i.body
from chosen c join collect.inbox i using (writer, number)
where c.before < :most_events
order by i.writer, i.number;

-- name: requests_at
-- Those of some requests that are still kept, in order.
select i.writer, i.number, i.source_id, i.events, i.kind, i.trusted, i.gpc, i.received_at, i.ip, i.user_agent, i.trace, i.link, i.body
from unnest(:writers::integer[], :numbers::bigint[]) as r (writer, number) join collect.inbox i using (writer, number)
order by i.writer, i.number;

-- name: sampled
-- Requests of a source spread over everything that is kept: of each writer a hundred stretches, and of each the first thousand requests are looked at.
select r.writer, r.number, r.source_id, r.events, r.kind, r.trusted, r.gpc, r.received_at, r.ip, r.user_agent, r.trace, r.link, r.body
from collect.positions p
cross join lateral (select min(i.number) as first, max(i.number) + 1 as past from collect.inbox i where i.writer = p.writer) e
cross join generate_series(0, 99) as stretch
cross join lateral (
    select looked.*, row_number() over (order by looked.number) as nth
    from (
        select i.* from collect.inbox i
        where i.writer = p.writer and i.number >= e.first + stretch * (e.past - e.first) / 100 and i.number < e.first + (stretch + 1) * (e.past - e.first) / 100
        order by i.number limit 1000
    ) looked
    where looked.source_id = :source_id and looked.received_at >= :since
) r
order by r.nth, r.received_at desc, r.number desc limit :most;

-- name: are_next$
-- Whether intake stands right before each of these runs of requests, and all of them still lie there.
select coalesce(bool_and(
    p.taken is not distinct from r.first - 1
    and r.last - r.first + 1 = (select count(*) from collect.inbox i where i.writer = r.writer and i.number between r.first and r.last)
), true)
from unnest(:writers::integer[], :firsts::bigint[], :lasts::bigint[]) as r (writer, first, last) left join collect.positions p using (writer);

-- name: places
-- Where intake stands behind some writers.
select writer, taken, link from collect.positions where writer = any(:writers);

-- name: move_places!
-- Intake has taken in everything up to these numbers.
update collect.positions p set taken = t.taken, link = t.link
from unnest(:writers::integer[], :taken::bigint[], :links::bytea[]) as t (writer, taken, link) where p.writer = t.writer;

-- name: note_damage!
-- A chain that does not hold, once for each place.
insert into collect.damage (writer, number, expected, found, requests, found_at)
select writer, number, expected, found, requests, :found_at
from unnest(:writers::integer[], :numbers::bigint[], :expected::text[], :found::text[], :requests::bigint[]) as d (writer, number, expected, found, requests)
on conflict do nothing;

-- name: compare_heads
-- For each head of a chain: whether its writer is the same one, whether all of it was forgotten by plan, its end here, its link at that number.
-- The last row itself is read, by a column that no index has: an index still names rows whose pages came back empty, and PostgreSQL
-- believes it alone (an index-only scan) for pages that it has marked as visible to all.
select h.writer, h.opened, w.writer is not null, w.writer is not null and p.writer is null,
    greatest(p.taken, (select i.number from collect.inbox i where i.writer = h.writer and i.events >= 0 order by i.number desc limit 1), 0),
    coalesce((select i.link from collect.inbox i where i.writer = h.writer and i.number = h.number), case when p.taken = h.number then p.link end)
from unnest(:writers::bigint[], :opened::bigint[], :numbers::bigint[]) as h (writer, opened, number)
left join collect.writers w on w.writer = h.writer and w.opened_at = 'epoch'::timestamptz + h.opened * interval '1 microsecond'
left join collect.positions p on p.writer = w.writer;

-- name: open_generation$
-- Make room for a generation of seen events, once.
select collect.open_generation(:generation);

-- name: mark_seen
-- Remember hashes in a generation, in their order, so that neighbours in the index are written together; the places, from 1, of those
-- that were known in it or in one of the others.
with given as (select hash, place from unnest(:hashes::uuid[]) with ordinality as h (hash, place)),
    fresh as (insert into collect.seen (generation, hash, import_id) select :generation, hash, :import_id::integer from given on conflict do nothing returning hash)
select place from given where not exists (select from fresh where fresh.hash = given.hash)
union
select place from given join collect.seen s on s.generation = any(:others::integer[]) and s.hash = given.hash;

-- name: forget_seen!
-- Make events new again, so that they can be replayed.
delete from collect.seen where hash = any(:hashes::uuid[]);

-- name: import_sources
-- Sources whose events are remembered for good.
select id from collect.sources where kind = 'import';

-- name: count_events!
-- Add to the counters of sources.
insert into collect.counters as c (source_id, accepted, applied, repeated, quarantined, ignored, last_received_at)
select * from unnest(:source_ids::integer[], :accepted::bigint[], :applied::bigint[], :repeated::bigint[], :quarantined::bigint[], :ignored::bigint[],
    :received::timestamptz[])
on conflict (source_id) do update set
    accepted = c.accepted + excluded.accepted, applied = c.applied + excluded.applied, repeated = c.repeated + excluded.repeated,
    quarantined = c.quarantined + excluded.quarantined, ignored = c.ignored + excluded.ignored, last_received_at = greatest(c.last_received_at, excluded.last_received_at);

-- name: standing
-- Per source: what was counted, what waits, and since when.
select s.id, s.name, coalesce(c.accepted, 0), coalesce(c.applied, 0), coalesce(c.repeated, 0), coalesce(c.quarantined, 0),
    coalesce(w.events, 0), greatest(extract(epoch from clock_timestamp() - w.oldest), 0)::double precision, greatest(c.last_received_at, w.newest),
    coalesce(c.ignored, 0)
from collect.sources s
left join collect.counters c on c.source_id = s.id
left join (
    select i.source_id, sum(i.events)::bigint as events, min(i.written_at) as oldest, max(i.received_at) as newest
    from collect.positions p join collect.inbox i on i.writer = p.writer and i.number > p.taken
    group by i.source_id
) w on w.source_id = s.id
order by s.id;

-- name: add_figures!
-- Add to what all collectors counted.
insert into collect.figures as f (name, labels, value)
select * from unnest(:names::text[], :labels::text[], :values::double precision[]) as n (name, labels, value) order by 1, 2
on conflict (name, labels) do update set value = f.value + excluded.value;

-- name: figures
-- What all collectors counted.
select name, labels, value from collect.figures order by name, labels;

-- name: prove_commit!
-- Write something and forget it: fails where nothing can be committed.
insert into collect.figures as f (name, labels, value) values ('proof', '', 1) on conflict (name, labels) do update set value = f.value + 1;

-- name: balance^
-- The last count of what must add up.
select checked_at, wrong_since, findings from collect.balance;

-- name: keep_balance!
-- A count of what must add up; the moment since when it does not stays until it does.
insert into collect.balance as b (checked_at, wrong_since, findings)
values (:now, case when cardinality(:findings::text[]) > 0 then :now::timestamptz end, :findings::text[])
on conflict (single) do update set checked_at = excluded.checked_at, findings = excluded.findings,
    wrong_since = case when cardinality(excluded.findings) > 0 then coalesce(b.wrong_since, excluded.wrong_since) end;

-- name: broken_chains
-- Writers whose waiting requests have a gap, or whose stored head is not the head that is there. Columns: writer, what is wrong.
-- Rows are read, not the index alone: see compare_heads.
with ends as (
    select p.writer, p.taken, p.link, w.source_id, w.import_id, w.last_number, w.last_link, i.waiting, i.newest
    from collect.positions p join collect.writers w using (writer)
    cross join lateral (
        select count(*) as waiting, max(r.number) as newest from collect.inbox r where r.writer = p.writer and r.number > p.taken and r.events >= 0
    ) i
)
select e.writer, concat(e.waiting, ' of ', e.newest - e.taken, ' waiting requests are there') from ends e
where e.waiting <> coalesce(e.newest - e.taken, 0)
union all
select e.writer, concat('number ', e.last_number, ' was written and ', coalesce(e.newest, e.taken), ' is there') from ends e
where num_nonnulls(e.source_id, e.import_id) = 1 and e.last_number > coalesce(e.newest, e.taken)
union all
select e.writer, concat('request ', e.taken, ' is not the one that was taken in') from ends e
join collect.inbox i on i.writer = e.writer and i.number = e.taken where i.link <> e.link
union all
select e.writer, concat('request ', e.last_number, ' is not the one that was written') from ends e
join collect.inbox i on i.writer = e.writer and i.number = e.last_number
where num_nonnulls(e.source_id, e.import_id) = 1 and i.link <> e.last_link;

-- name: place_again
-- Give writers whose place was lost one before all of their requests that are kept: what had been taken in is then a repeat.
insert into collect.positions (writer, taken, link)
select w.writer, case when f.number > 1 then f.number else 0 end, case when f.number > 1 then f.link else '\x' end
from collect.writers w
cross join lateral (select i.number, i.link from collect.inbox i where i.writer = w.writer order by i.number limit 1) f
where not exists (select from collect.positions p where p.writer = w.writer)
on conflict do nothing
returning writer, taken;

-- name: damage^
-- How many places of the inbox are known to be damaged, and how many requests they stand for.
select count(*), coalesce(sum(requests), 0)::bigint from collect.damage;

-- name: trim!
-- Forget requests that were taken in and written before a moment.
delete from collect.inbox i using collect.positions p where p.writer = i.writer and i.number <= p.taken and i.written_at < :before;

-- name: close_writers!
-- Forget the places of collector processes that are gone and whose requests are all forgotten; live ones hold the lock.
delete from collect.positions p using collect.writers w
where w.writer = p.writer and w.source_id is null and w.import_id is null and w.opened_at < :before
    and not exists (select 1 from collect.inbox i where i.writer = p.writer)
    and pg_try_advisory_xact_lock(:lock_space, p.writer);

-- name: hold_writer^
-- Keep a writer for this connection's life.
select pg_advisory_lock(:lock_space, :writer);

-- name: inbox_naming
-- Requests whose body holds one of the texts; the caller looks closer.
select i.writer, i.number, i.source_id, i.received_at, i.body, i.kind, i.number <= p.taken as taken
from collect.inbox i join collect.positions p using (writer)
where exists (select from collect.texts_in(i.body, :needles::bytea[])) order by i.writer, i.number;

-- name: kept_of_writers
-- The first and the last request kept of every writer.
select w.writer, e.first, e.last from collect.writers w
cross join lateral (select min(i.number) as first, max(i.number) as last from collect.inbox i where i.writer = w.writer) e where e.last is not null;

-- name: inbox_holding
-- Requests among some of a writer whose body holds one of the texts.
select i.received_at, i.writer, i.number from collect.inbox i
where i.writer = :writer and i.number > :after and i.number <= :last and (:source_id::integer is null or i.source_id = :source_id)
    and exists (select 1 from unnest(:needles::bytea[]) n where position(n in i.body) > 0);

-- name: inbox_traced
-- Requests of a trace, newest first.
select i.writer, i.number from collect.inbox i where i.trace is not null and substr(i.trace, 4, 32) = :trace_id order by i.received_at desc limit :most;

-- name: fate_of_request^
-- When a request was written down, and whether intake has passed it.
select i.written_at, i.number <= coalesce(p.taken, 0) from collect.inbox i left join collect.positions p using (writer)
where i.writer = :writer and i.number = :number;

-- name: remove_requests!
-- Remove requests that were taken in.
delete from collect.inbox i using unnest(:writers::integer[], :numbers::bigint[]) as r (writer, number)
where i.writer = r.writer and i.number = r.number;

-- name: clocks
-- The clocks of these devices, as far as they were wrong once.
select device, shift, runs from collect.clocks where device = any(:devices::uuid[]);

-- name: keep_clocks!
-- What is known of clocks that are wrong; the runs of each are an array as text.
insert into collect.clocks (device, shift, runs, used_at)
select device, shift, runs::bigint[], :now from unnest(:devices::uuid[], :shifts::bigint[], :runs::text[]) as c (device, shift, runs)
on conflict (device) do update set shift = excluded.shift, runs = excluded.runs, used_at = excluded.used_at;

-- name: forget_clocks!
-- Let go of clocks of devices that were not seen for long.
delete from collect.clocks where used_at < :before;

-- name: webhooks
-- Every webhook, for the collectors.
select w.source_id, s.key, w.token_hash, w.scheme, w.sealed, w.trusted, w.enabled and s.enabled
from collect.webhooks w join collect.sources s on s.id = w.source_id;

-- name: webhook^
-- The webhook of a source.
select source_id, scheme, sealed, mapping, trusted, enabled, created_at, changed_at from collect.webhooks where source_id = :source_id;

-- name: webhook_mappings
-- The mappings of these sources.
select source_id, mapping from collect.webhooks where source_id = any(:source_ids);

-- name: save_webhook!
-- Make or change the webhook of a source.
insert into collect.webhooks (source_id, token_hash, scheme, sealed, mapping, trusted, enabled, created_at, changed_at)
values (:source_id, :token_hash, :scheme, :sealed, :mapping, :trusted, :enabled, :now, :now)
on conflict (source_id) do update set token_hash = excluded.token_hash, scheme = excluded.scheme, sealed = excluded.sealed, mapping = excluded.mapping,
    trusted = excluded.trusted, enabled = excluded.enabled, changed_at = excluded.changed_at;

-- name: last_hooked
-- The last requests of a webhook, newest first.
select received_at, body from collect.inbox where source_id = :source_id and kind = 'webhook' order by received_at desc limit :limit;

-- name: count_visits!
-- Add numbers of visits without anybody; places beyond the most of a source and day become one.
with incoming as (
    select * from unnest(:sources::integer[], :days::date[], :names::text[], :paths::text[], :viewports::text[], :times::bigint[])
        as i (source_id, day, name, path, viewport, times)
), placed as (
    select i.*,
        exists (select 1 from collect.visits v where (v.source_id, v.day, v.name, v.path, v.viewport) = (i.source_id, i.day, i.name, i.path, i.viewport))
        or row_number() over (partition by i.source_id, i.day order by i.times desc)
            + (select count(*) from collect.visits v where v.source_id = i.source_id and v.day = i.day) <= :most as has_room
    from incoming i
)
insert into collect.visits as v (source_id, day, name, path, viewport, times)
select source_id, day, case when has_room then name else '…' end, case when has_room then path else '…' end, case when has_room then viewport else 'unknown' end, sum(times)
from placed group by 1, 2, 3, 4, 5
on conflict (source_id, day, name, path, viewport) do update set times = v.times + excluded.times;

-- name: visits
-- What was done most often by people who were not asked yet.
select name, path, sum(times)::bigint from collect.visits where source_id = :source_id and day >= :since
group by name, path order by sum(times) desc, name, path limit :limit;

-- name: add_import$
-- A file to import.
insert into collect.imports (name, actor, state, runner, created_at, file_name, file_path, file_kept, file_bytes, file_sha256, mapping, acquired)
values (:name, :actor, :state, :runner, :now, :file_name, :file_path, :file_kept, :file_bytes, :file_sha256, :mapping, :acquired)
returning import_id;

-- name: imports
-- Imports, newest first, from below :before; or one of them. Columns as in Import.
select i.import_id, i.name, i.actor, i.state, i.runner, i.created_at, i.started_at, i.finished_at, i.undone_at, i.undone_by, i.file_name, i.file_path, i.file_kept,
    i.file_bytes, i.file_sha256, i.errors_path, i.source_id, i.mapping, i.acquired, i.rows_about, i.rows_done, i.result, i.problem, i.events_undone, i.language
from collect.imports i
where (:only::integer is null or i.import_id = :only) and (:before::integer is null or i.import_id < :before)
order by i.import_id desc limit :limit;

-- name: unfinished_import$
-- The import of the same file under the same name that did not end yet.
select import_id from collect.imports
where file_sha256 = :file_sha256 and name = :name and state in ('waiting', 'running', 'failed') order by import_id desc limit 1;

-- name: next_import^
-- The oldest import that waits for the app, or was left behind by it.
select import_id, state from collect.imports where runner = 'app' and state in ('waiting', 'running') or state = 'undoing' order by import_id limit 1;

-- name: set_import_mapping!
-- What a draft will be.
update collect.imports set name = :name, mapping = :mapping, acquired = :acquired where import_id = :import_id and state = 'draft';

-- name: start_import!
-- The import is wanted: by the app, or by a command.
update collect.imports set state = :state, runner = :runner, name = :name, mapping = :mapping, acquired = :acquired, language = :language, problem = null
where import_id = :import_id and state in ('draft', 'waiting', 'running', 'failed');

-- name: run_import!
-- The import runs now, under a source and by this engine, unless somebody takes it back.
update collect.imports set state = 'running', started_at = coalesce(started_at, :now), source_id = :source_id, engine = :engine,
    rows_done = 0, problem = null
where import_id = :import_id and state in ('waiting', 'running');

-- name: engine_of_import$
-- What made the requests of an import so far.
select engine from collect.imports where import_id = :import_id;

-- name: end_import!
-- The import ended, one way or the other, unless somebody takes it back.
update collect.imports set state = :state, finished_at = :now, result = :result, problem = :problem, errors_path = :errors_path
where import_id = :import_id and state in ('waiting', 'running');

-- name: import_progress!
-- How far an import is.
update collect.imports set rows_done = :done, rows_about = :about where import_id = :import_id;

-- name: lock_import_writer^
-- The writer of an import, locked until the transaction ends; made when it is new.
insert into collect.writers (import_id) values (:import_id)
on conflict (import_id) do update set import_id = excluded.import_id
returning writer, last_number, last_link;

-- name: state_of_import$
-- Whether an import may go on.
select state from collect.imports where import_id = :import_id for share;

-- name: import_writers
-- The writers of imports with what decisions of their events are proved by. Columns: writer, import_id, acquired.
select w.writer, i.import_id, i.acquired from collect.writers w join collect.imports i using (import_id) where w.writer = any(:writers);

-- name: note_import_events!
-- Which event ids of a batch came from imports.
insert into collect.import_events (import_id, batch, first_event_id, last_event_id)
select import_id, :batch, first_event_id, last_event_id from unnest(:imports::integer[], :firsts::bigint[], :lasts::bigint[]) as e (import_id, first_event_id, last_event_id);

-- name: import_events
-- Ranges of event ids of an import.
select first_event_id, last_event_id from collect.import_events where import_id = :import_id order by first_event_id;

-- name: import_waits$
-- Whether requests of an import still wait for intake.
select exists (
    select from collect.writers w left join collect.positions p using (writer) where w.import_id = :import_id and w.last_number > coalesce(p.taken, 0)
);

-- name: ask_undo!
-- The import shall be taken back.
update collect.imports set state = 'undoing', undone_by = :actor where import_id = :import_id and state in ('done', 'failed', 'running', 'waiting');

-- name: forget_seen_of_import!
-- Its events are new again.
delete from collect.seen where generation = 0 and import_id = :import_id;

-- name: forget_requests_of_import!
-- Its requests are not to be taken in again.
delete from collect.inbox i using collect.writers w where w.import_id = :import_id and i.writer = w.writer;

-- name: writer_of_import$
-- The number under which an import wrote to the inbox.
select writer from collect.writers where import_id = :import_id;

-- name: forget_import_events!
-- No event of it is left.
delete from collect.import_events where import_id = :import_id;

-- name: import_undone!
-- It is as if the import had never been.
update collect.imports set state = 'undone', undone_at = :now, events_undone = :events where import_id = :import_id;

-- name: files_of_imports
-- Files of imports that are kept here. Columns: import_id, state, file_path or null, errors_path.
select import_id, state, case when file_kept then file_path end, errors_path from collect.imports
where (file_kept and file_path <> '' or errors_path is not null) and (:before::timestamptz is null or coalesce(finished_at, created_at) < :before);

-- name: forget_files_of_import!
-- Its files are gone.
update collect.imports set file_path = case when file_kept then '' else file_path end, errors_path = null where import_id = :import_id;

-- name: delete_draft!
-- An import that was never wanted.
delete from collect.imports where import_id = :import_id and state = 'draft';
