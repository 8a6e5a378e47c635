-- name: set_aside!
-- Put events into quarantine, with what the inbox knows of the request they came in; one that waits there already is counted.
insert into repair.quarantine as kept (source_id, reason, detail, payload, message_id, event, received_at, set_aside_at, writer, number, index, remembered,
    events, trusted, gpc, ip, user_agent, trace, kind, times, last_at)
select q.source_id, q.reason, q.detail, q.payload, q.message_id, q.event, q.received_at, :now, q.writer, q.number, q.index, q.remembered,
    case when q.reason = any(:whole) then coalesce(i.events, 1) else 1 end,
    coalesce(i.trusted, false), coalesce(i.gpc, false), i.ip, case when q.reason = any(:whole) then i.user_agent end, coalesce(q.trace, i.trace),
    case when q.reason = any(:whole) then i.kind else q.kind end, q.times, case when q.times > 1 then :now::timestamptz end
from unnest(:source_ids::integer[], :reasons::text[], :details::text[], :payloads::bytea[], :message_ids::text[], :events::text[], :received::timestamptz[],
        :writers::integer[], :numbers::bigint[], :indexes::integer[], :remembered::boolean[], :kinds::text[], :times::integer[],
        :traces::text[])
    as q (source_id, reason, detail, payload, message_id, event, received_at, writer, number, index, remembered, kind, times, trace)
left join collect.inbox i on i.writer = q.writer and i.number = q.number
on conflict (source_id, message_id, reason) where replayed_at is null and discarded_at is null and message_id is not null
do update set times = kept.times + excluded.times, last_at = excluded.set_aside_at, remembered = kept.remembered or excluded.remembered;

-- name: listed
-- Events of a filter, newest first, from below :before.
select q.id, q.source_id, q.reason, q.detail, q.payload, q.message_id, q.event, q.received_at, q.set_aside_at, q.replayed_at, q.discarded_at, q.erased_at,
    q.run_id, q.events, q.trusted, q.ip, q.writer, q.number, q.index, q.times, q.last_at, q.trace
from repair.quarantine q
where repair.matches(q, :filter::jsonb, :ids::bigint[], :since::timestamptz, :until::timestamptz) and (:before::bigint is null or q.id < :before)
order by q.id desc limit :limit;

-- name: at_place
-- The events set aside from one place of the inbox, newest first.
select q.id, q.source_id, q.reason, q.detail, q.payload, q.message_id, q.event, q.received_at, q.set_aside_at, q.replayed_at, q.discarded_at, q.erased_at,
    q.run_id, q.events, q.trusted, q.ip, q.writer, q.number, q.index, q.times, q.last_at, q.trace
from repair.quarantine q where q.writer = :writer and q.number = :number and (q.index = :index or q.reason = any(:whole)) order by q.id desc;

-- name: with_message
-- Events set aside under a message id, of one source or of all.
select q.id, q.source_id, q.reason, q.detail, q.payload, q.message_id, q.event, q.received_at, q.set_aside_at, q.replayed_at, q.discarded_at, q.erased_at,
    q.run_id, q.events, q.trusted, q.ip, q.writer, q.number, q.index, q.times, q.last_at, q.trace
from repair.quarantine q
where q.source_id in (select id from collect.sources where :source_id::integer is null or id = :source_id) and q.message_id = :message_id order by q.id desc limit 50;

-- name: in_trace
-- Places of the inbox whose events of a trace were set aside and are there yet, newest first.
select q.writer, q.number, q.index from repair.quarantine q
where q.trace is not null and substr(q.trace, 4, 32) = :trace_id and q.replayed_at is null order by q.id desc limit :most;

-- name: same_event
-- Every time an event was set aside, oldest first.
select id, reason, set_aside_at, replayed_at from repair.quarantine where source_id = :source_id and message_id = :message_id order by id limit 50;

-- name: tallied
-- How many events there are by reason and day of a time zone, by what the tallies know.
select t.reason, (t.hour at time zone :zone)::date as day, sum(t.events)::bigint
from repair.tallies t
where (:state::text is null or t.state = :state) and (:source_id::integer is null or t.source_id = :source_id) and (:reason::text is null or t.reason = :reason)
    and (:event::text is null or t.event = :event) and (:since::timestamptz is null or t.hour >= :since) and (:until::timestamptz is null or t.hour < :until)
group by 1, 2 having sum(t.events) <> 0 order by 2 desc, 3 desc, 1;

-- name: counted
-- The same, counted one by one: for a filter that the tallies know nothing of.
select q.reason, (q.set_aside_at at time zone :zone)::date as day, sum(q.events)::bigint
from repair.quarantine q where repair.matches(q, :filter::jsonb, :ids::bigint[], :since::timestamptz, :until::timestamptz) group by 1, 2 order by 2 desc, 3 desc, 1;

-- name: names_of_events
-- Names under which events wait in quarantine, most frequent first.
select t.event, sum(t.events) from repair.tallies t where t.event <> '' and t.state = 'open' group by 1 having sum(t.events) > 0 order by 2 desc, 1 limit 200;

-- name: waiting
-- How many events of each source wait in quarantine now.
select t.source_id, sum(t.events)::bigint from repair.tallies t where t.state = 'open' group by 1;

-- name: extent^
-- How many events a filter means now, and the newest of them.
select count(*), coalesce(max(q.id), 0) from repair.quarantine q where repair.matches(q, :filter::jsonb, :ids::bigint[], :since::timestamptz, :until::timestamptz);

-- name: start_run$
-- A run over the events of a filter.
insert into repair.runs (what, filter, fix, why, started_by, started_at, until_id, events)
values (:what, :filter::jsonb, :fix::jsonb, :why, :by, :now, :until_id, :events) returning id;

-- name: runs
-- Runs, newest first; one alone when :id is given.
select id, what, filter, fix, why, started_by, started_at, events, done, left_out, ended_at, stopped_by
from repair.runs where :id::bigint is null or id = :id order by id desc limit :limit;

-- name: unfinished_run^
-- A run that goes on, locked; those that somebody else works at are passed over. One alone when :id is given.
select id, what, filter, fix, last_id, until_id, done, left_out from repair.runs
where ended_at is null and (:id::bigint is null or id = :id) order by id limit 1 for update skip locked;

-- name: next_of_run
-- The next events of a run, locked.
select q.id, q.source_id, q.payload, q.message_id, q.received_at, q.writer, q.number, q.index, q.trusted, q.kind, q.gpc, q.ip, q.user_agent, q.remembered,
    q.erased_at is not null, q.trace
from repair.quarantine q
where q.id > :after and q.id <= :until_id and q.replayed_at is null and q.discarded_at is null and repair.matches(q, :filter::jsonb, :ids::bigint[], :since::timestamptz, :until::timestamptz)
order by q.id limit :limit for update;

-- name: move_run!
-- How far a run has come.
update repair.runs set last_id = :last_id, done = :done, left_out = :left_out::jsonb, ended_at = :ended_at where id = :id;

-- name: stop_run!
-- End a run before its end.
update repair.runs set ended_at = :now, stopped_by = :by where id = :id and ended_at is null;

-- name: mark_replayed!
-- These events went through the door again.
update repair.quarantine set replayed_at = :now, run_id = :run_id where id = any(:ids::bigint[]);

-- name: mark_discarded!
-- Somebody decided that these events are not needed.
update repair.quarantine set discarded_at = :now, run_id = :run_id where id = any(:ids::bigint[]);

-- name: trim!
-- Forget events set aside before a moment.
delete from repair.quarantine where set_aside_at < :before;

-- name: trim_tallies!
-- Forget tallies of which nothing is left.
delete from repair.tallies where events = 0;

-- name: trim_runs!
-- Forget runs that ended before a moment.
delete from repair.runs where ended_at < :before;

-- name: forget_writer!
-- Forget what a writer of the inbox left: an import that was taken back.
delete from repair.quarantine where writer = :writer;

-- name: naming
-- Events whose content holds one of the texts; the caller looks closer.
select id, source_id, reason, received_at, set_aside_at, replayed_at, discarded_at, kind, payload from repair.quarantine
where payload is not null and exists (select from collect.texts_in(payload, :needles::bytea[])) order by id;

-- name: empty!
-- Remove the content of events for good.
update repair.quarantine set payload = null, message_id = null, detail = '', event = null, ip = null, user_agent = null, erased_at = statement_timestamp()
where id = any(:ids::bigint[]);

-- name: blank_runs!
-- Take texts out of the filters and fixes of runs that have ended.
update repair.runs set filter = filter - 'text', fix = null, why = ''
where ended_at is not null and exists (
    select 1 from unnest(:texts::text[]) t where position(t in concat_ws(' ', filter ->> 'text', fix::text, why)) > 0);
