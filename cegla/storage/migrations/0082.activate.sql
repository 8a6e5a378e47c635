-- Act: gateways that text messages, and e-mail where a provider takes it over HTTP, leave by; the provider's own number of a message.
drop table activate.texts; -- never written to: text messages lie in the outbox like everything else

alter table activate.messages add column gateway_id text; -- the provider's number, by which its receipts may name the message
create index on activate.messages (gateway_id) where gateway_id is not null;
create index on activate.messages (address, handed_at) where handed_at is not null; -- whose reply a text message is

create table activate.gateways (
    channel text primary key, -- sms or email: one gateway at work for each
    provider text not null, -- a row of the gateways' table in the code
    url text not null, -- empty: the provider's own
    sender text not null,
    sealed bytea not null, -- the provider's key, the secret of its receipts, the token of the address they come to
    token_hash bytea not null unique, -- by which that address is found
    part_micros bigint not null, -- the price of one part, in the currency of the settings
    messages_per_minute integer not null,
    changed_at timestamptz not null
);
