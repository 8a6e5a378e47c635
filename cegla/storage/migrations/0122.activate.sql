-- Act: a link that only one message has is that person's (an address with their name or basket in it), and goes when they are erased; those kept so far are nobody's.
alter table activate.links add message_id bigint;                -- whose alone it is; null: of several, or the campaign's
alter table activate.links alter column url drop not null;       -- null: of somebody who was erased; its number is never given again
create index on activate.links (message_id) where message_id is not null;
