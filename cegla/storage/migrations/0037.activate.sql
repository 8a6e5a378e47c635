-- Act: what came back about messages, the places mail goes to with their limits, warm-up plans, text messages, web push.
alter table activate.messages add column destination text not null default '';
alter table activate.messages add column returned text; -- one of the 34 reasons, once it came back
alter table activate.messages add column complained_at timestamptz;
create index on activate.messages (campaign_id, destination, due_at, id) where state = 'decided';

-- Each mail that came back about a message, once: the same report may come by several ways.
create table activate.returns (
    message_id bigint not null references activate.messages,
    digest bytea not null,
    kind text not null,
    reason text not null,
    hard boolean not null,
    status text not null,
    reply text not null,
    words text not null, -- as the other side wrote them: hostile text, shown inert; they may name the person
    way text not null, -- smtp, imap or a provider
    came_at timestamptz not null,
    primary key (message_id, digest)
);

-- A mailbox provider, or a domain that belongs to none: its own speed, and what it asked for by its replies.
create table activate.destinations (
    key text primary key,
    messages_per_minute integer,
    slow_until timestamptz,
    suspended_until timestamptz,
    said text not null default '',
    changed_at timestamptz not null
);

-- What went to each destination under each sender's domain, by day (UTC): the measure of warm-up and reputation.
create table activate.sent_by_day (
    day date not null,
    domain text not null,
    destination text not null,
    sent integer not null default 0,
    bounced integer not null default 0,
    complained integer not null default 0,
    deferred integer not null default 0,
    primary key (day, domain, destination)
);

create table activate.warmups (
    domain text primary key,
    first_day integer not null,
    growth_percent integer not null,
    most integer not null,
    started_on date not null
);

-- Text messages: the row is written before the gateway is called, under one key.
create table activate.texts (
    id bigint generated always as identity primary key,
    key text not null unique,
    identity_id bigint not null,
    phone text,
    words text,
    purpose text not null,
    gateway text not null,
    parts integer not null,
    state text not null, -- handing_off, sent, delivered, failed, ambiguous
    gateway_id text not null default '',
    reason text not null default '',
    decided_at timestamptz not null,
    done_at timestamptz
);
create index on activate.texts (gateway, gateway_id) where gateway_id <> '';
create index on activate.texts (identity_id);

-- Browsers that may be written to, and the key they were subscribed under.
create table activate.push_keys (
    id integer generated always as identity primary key,
    public bytea not null,
    sealed bytea not null,
    made_at timestamptz not null
);
create table activate.push_subscriptions (
    id bigint generated always as identity primary key,
    identity_id bigint not null,
    endpoint text not null unique,
    public bytea not null,
    secret bytea not null,
    made_at timestamptz not null
);
create index on activate.push_subscriptions (identity_id);
