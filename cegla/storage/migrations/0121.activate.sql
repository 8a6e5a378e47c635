-- Clicks on a campaign's links by nobody in particular, until it is plain whether a person made them: some seconds, and then only their number is kept.
create table activate.passers_by (
    id bigint generated always as identity primary key,
    campaign_id integer not null references activate.campaigns on delete cascade,
    number integer not null,                      -- of the link; 0: the one that nobody sees
    at timestamptz not null,
    visitor bytea not null                        -- a keyed hash of network address and program, another one every hour
);
create index on activate.passers_by (campaign_id, visitor);
