-- Clicks that nobody agreed to have counted as theirs: how many a link had on a day, and nothing of whose they were.
create table activate.tallies (
    campaign_id integer not null references activate.campaigns on delete cascade,
    number integer not null,
    day date not null,
    clicks bigint not null,
    primary key (campaign_id, number, day)
);
