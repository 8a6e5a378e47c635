-- Act: templates of messages to one person, which an order or an account asks for, and those messages, each under a key of its caller.
alter table activate.campaigns add column kind text not null default 'campaign'; -- or single: its messages are asked for one by one
create unique index on activate.campaigns (name) where kind = 'single';

alter table activate.messages add column key text; -- the caller's, for a message to one person: the same key is the same message
alter table activate.messages add column given jsonb; -- what the caller gave the template
create unique index on activate.messages (campaign_id, key) where key is not null;

-- One message per campaign and person, or address, but for those that have a key.
alter table activate.messages drop constraint messages_campaign_id_person_id_key;
create unique index on activate.messages (campaign_id, person_id) where key is null;
drop index activate.messages_campaign_id_address_idx;
create unique index on activate.messages (campaign_id, address) where state <> 'skipped' and key is null;
