-- Act: campaigns, the versions of their content, the outbox, the links of messages, the pace of sending.
create schema activate;

create table activate.campaigns (
    id integer generated always as identity primary key,
    name text not null,
    segment_id integer not null,
    purpose text not null,
    channel text not null,
    sender text not null,
    version integer not null,
    holdout_percent integer not null,
    messages_per_minute integer,
    cap integer not null,
    state text not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    launched_at timestamptz,
    finished_at timestamptz,
    -- the segment as it was at the launch
    segment_name text,
    segment_rule jsonb,
    segment_sentence_pl text,
    segment_sentence_en text,
    -- the mail server away: what it said, how often in a row, when to try again
    trouble text,
    failures integer not null default 0,
    retry_at timestamptz
);

-- What a campaign says; a change is a new version, and every message names the one it was made from.
create table activate.contents (
    campaign_id integer not null references activate.campaigns,
    version integer not null,
    subject text not null,
    mjml text not null,
    html text not null,
    text text not null,
    content jsonb not null,
    made_at timestamptz not null,
    primary key (campaign_id, version)
);

-- The outbox: one row per campaign and person, written before anything is handed to a server.
create table activate.messages (
    id bigint generated always as identity primary key,
    campaign_id integer not null references activate.campaigns,
    person_id bigint not null,
    identity_id bigint,
    address text,
    state text not null,
    reason text,
    version integer not null,
    consent_record_id bigint,
    consent_at timestamptz,
    tracked boolean not null default false,
    facts jsonb,
    attempts integer not null default 0,
    reply text,
    decided_at timestamptz not null,
    due_at timestamptz not null,
    handed_at timestamptz,
    done_at timestamptz,
    told boolean not null default false, -- whether what became of it went to the inbox as an event
    unique (campaign_id, person_id)
);
create unique index on activate.messages (campaign_id, address) where state <> 'skipped';
create index on activate.messages (campaign_id, due_at, id) where state = 'decided';
create index on activate.messages (campaign_id, id) where state = 'handing_off';
create index on activate.messages (id) where not told and done_at is not null;
create index on activate.messages (person_id, handed_at);
create index on activate.messages (identity_id);

create table activate.links (
    campaign_id integer not null references activate.campaigns,
    number integer not null,
    url text not null,
    primary key (campaign_id, number),
    unique (campaign_id, url)
);

-- Token buckets: 'all' for the installation, the number of a campaign for that campaign.
create table activate.pace (
    key text primary key,
    tokens double precision not null,
    at timestamptz not null
);
