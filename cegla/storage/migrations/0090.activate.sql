-- Act: less work for each message that leaves. What waits and which address is taken are columns of their own, so that the last step of a message,
-- from a server's hands to its end, touches no index; who is with the servers, and what is to be told, are lists of numbers beside the outbox.
alter table activate.messages add column waits boolean not null default false; -- decided, and not yet handed over
alter table activate.messages add column live boolean not null default true; -- not skipped: its address gets nothing else of the campaign
update activate.messages set waits = state = 'decided', live = state <> 'skipped' where state in ('decided', 'skipped');

drop index activate.messages_campaign_id_due_at_id_idx;
drop index activate.messages_campaign_id_destination_due_at_id_idx;
drop index activate.messages_campaign_id_address_idx;
drop index activate.messages_campaign_id_id_idx;
drop index activate.messages_id_idx;
drop index activate.messages_person_id_handed_at_idx;
create index messages_waiting on activate.messages (campaign_id, due_at, id) where waits;
create unique index messages_of_address on activate.messages (campaign_id, address) where live and key is null;
create index messages_of_nobody on activate.messages (person_id) where identity_id is null;
alter table activate.messages set (fillfactor = 70); -- room for a row to stay on its page

-- Groups of messages that are with the servers now: what stands here when a sender begins was left by one that is no more.
create table activate.in_hand (ids bigint[] not null);
insert into activate.in_hand select array_agg(id) from activate.messages where state = 'handing_off' having count(*) > 0;

-- Groups of messages whose end goes to the inbox as events.
create table activate.to_tell (id bigint generated always as identity primary key, ids bigint[] not null);
insert into activate.to_tell (ids) select array_agg(id order by id) from activate.messages where not told and done_at is not null having count(*) > 0;
