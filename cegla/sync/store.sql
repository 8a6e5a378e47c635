-- name: receivers
-- Every receiver, oldest first, with how many messages wait and how many were refused, when that is asked.
select r.id, r.name, r.url, r.segments, r.purpose, r.channel, r.enabled, r.heard, r.compare_at, r.tries, r.next_at, r.problem, r.made_at,
    case when :counted then (select count(*) from sync.letters l where l.receiver_id = r.id and l.state = 'waiting') else 0 end,
    case when :counted then (select count(*) from sync.letters l where l.receiver_id = r.id and l.state = 'refused') else 0 end,
    case when :counted then (select count(*) from sync.told t where t.receiver_id = r.id) else 0 end
from sync.receivers r where :id::bigint is null or r.id = :id order by r.id;

-- name: add_receiver$
-- A new receiver; everybody is compared at once. Returns its id.
insert into sync.receivers (name, url, segments, purpose, channel, sealed, heard, compare_at, next_at, made_at, changed_at)
values (:name, :url, :segments, :purpose, :channel, :sealed, :heard, :now, :now, :now, :now) on conflict (name) do nothing returning id;

-- name: sealed$
-- The sealed secret of a receiver.
select sealed from sync.receivers where id = :id;

-- name: remove_receiver!
-- A receiver goes, with what it was told and what it was not told yet.
delete from sync.receivers where id = :id;

-- name: switch!
-- A receiver is told, or is not told any more; when it is again, everybody is compared.
update sync.receivers set enabled = :enabled, changed_at = :now, tries = 0, problem = null, next_at = :now, compare_at = case when :enabled then :now end
where id = :id;

-- name: hear!
-- Notes what was looked at.
update sync.receivers set heard = :heard, compare_at = null where id = :id;

-- name: compare_all!
-- Has everybody compared, at every receiver that is told.
update sync.receivers set compare_at = :now where enabled;

-- name: failed!
-- The last try failed.
update sync.receivers set tries = tries + 1, problem = :problem, next_at = :next_at where id = :id;

-- name: went_well!
-- The last try was taken.
update sync.receivers set tries = 0, problem = null, next_at = :now where id = :id;

-- name: stop!
-- The receiver does not want to be told any more.
update sync.receivers set enabled = false, problem = :problem where id = :id;

-- name: told
-- Whom a receiver takes to be in a segment.
select person_id from sync.told where receiver_id = :receiver_id and segment_id = :segment_id and (:people::bigint[] is null or person_id = any(:people));

-- name: tell!
-- Notes whom the receiver takes to be in a segment from now on.
insert into sync.told (receiver_id, segment_id, person_id) select :receiver_id, :segment_id, unnest(:people::bigint[]) on conflict do nothing;

-- name: take_back!
-- Notes whom it does not any more.
delete from sync.told where receiver_id = :receiver_id and segment_id = :segment_id and person_id = any(:people);

-- name: add_letter$
-- A new message; returns its number.
insert into sync.letters (receiver_id, made_at) values (:receiver_id, :now) returning id;

-- name: add_lines!
-- What the message says.
insert into sync.lines (letter_id, place, segment_id, person_id, gone, entered, reason, at)
select :letter_id, place, segment_id, person_id, gone, entered, reason, at
from unnest(:segments::bigint[], :people::bigint[], :gone::text[], :entered::boolean[], :reasons::text[], :moments::timestamptz[])
    with ordinality as line (segment_id, person_id, gone, entered, reason, at, place);

-- name: next_letter^
-- The oldest message that waits for a receiver: number and tries.
select id, tries from sync.letters where receiver_id = :receiver_id and state = 'waiting' order by id limit 1;

-- name: lines_of
-- What a message says, in order.
select place, segment_id, person_id, gone, entered, reason, at from sync.lines where letter_id = :letter_id order by place;

-- name: drop_lines!
-- Some of it may not be said any more.
delete from sync.lines where letter_id = :letter_id and place = any(:places);

-- name: delivered!
-- A message was taken, or had nothing left to say; what it said is not kept.
with said as (delete from sync.lines where letter_id = :letter_id)
update sync.letters set state = 'delivered', done_at = :now, tries = tries + 1, problem = null where id = :letter_id;

-- name: tried!
-- A try failed; `state` says whether there will be another.
update sync.letters set tries = tries + 1, problem = :problem, state = :state, done_at = case when :state = 'refused' then :now end where id = :letter_id;

-- name: letters
-- Messages of a receiver, newest first, before a number: those that were refused, or all.
select l.id, l.state, l.tries, l.problem, l.made_at, l.done_at, (select count(*) from sync.lines s where s.letter_id = l.id)
from sync.letters l where l.receiver_id = :receiver_id and (:before::bigint is null or l.id < :before) order by l.id desc limit :limit;

-- name: again!
-- A refused message is sent once more.
update sync.letters set state = 'waiting', tries = 0, done_at = null where id = :letter_id and receiver_id = :receiver_id and state = 'refused';

-- name: forget_letters!
-- Messages that were taken, or refused for good, long ago.
delete from sync.letters where state in ('delivered', 'refused') and done_at < :before;

-- name: told_of_people
-- Which receivers take these people to be in which segments.
select receiver_id, segment_id, person_id from sync.told where person_id = any(:people) order by receiver_id, segment_id, person_id;

-- name: export
-- What is told of these people, to whom.
select r.name, t.segment_id from sync.told t join sync.receivers r on r.id = t.receiver_id where t.person_id = any(:people) order by 1, 2;

-- name: erase_told!
-- Nobody is told of these people any more.
delete from sync.told where person_id = any(:people);

-- name: erase_lines!
-- Nor is what waits to be told.
delete from sync.lines where person_id = any(:people);

-- name: moment$
-- This moment, for those who are asked without one.
select now();
