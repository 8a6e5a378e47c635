-- Which companies, teams or households do people belong to? Accounts, what is said of them, and who belongs to them.
create schema account;

create table account.accounts (
    account_id bigint generated always as identity primary key,
    key text not null unique,                    -- the group id, normalized like an identifier
    folded text not null                         -- lower case without diacritics, for search
);

-- That an identity joined or left an account, thinned out to one row a day (UTC): what a day's calls say together does not depend
-- on their order, their number or the batches they came in. Imports are kept apart, so that one of them can be taken back.
create table account.statements (
    account_id bigint not null references account.accounts on delete cascade,
    identity_id bigint not null,
    day date not null,
    joins boolean not null,                      -- false: left
    import_id integer not null default 0,
    at timestamptz not null,                     -- the first of the day
    last_at timestamptz not null,                -- the last of the day
    role text,                                   -- the newest of the day
    role_at timestamptz,
    source_id integer not null,                  -- of the first
    message_id text not null,
    primary key (account_id, identity_id, day, joins, import_id)
);
create index on account.statements (identity_id);
create index on account.statements (import_id) where import_id <> 0;

-- The newest value of each trait of an account, by the time of its event. A null value was taken back.
create table account.traits (
    account_id bigint not null references account.accounts on delete cascade,
    key text not null,
    import_id integer not null default 0,
    value jsonb,
    declared_at timestamptz not null,
    source_id integer not null,
    message_id text not null,
    folded text,                                 -- of a name, for search
    primary key (account_id, key, import_id)
);
create index on account.traits (key) where key in ('name', 'parent_id');
create index on account.traits (import_id) where import_id <> 0;

-- What the people of an account, and of the accounts below it, come to; and which conditions of segments it met when it was looked at last.
create table account.figures (
    account_id bigint primary key references account.accounts on delete cascade,
    people bigint not null,
    orders bigint not null,
    revenue_micros bigint not null,
    last_seen_at timestamptz,
    engagement double precision,                 -- the mean of those of whom it is known, 0 to 100
    computed_at timestamptz not null,
    meets jsonb not null default '{}'            -- condition → whether it was met
);

-- Accounts that a batch said something about, until the refresh after it.
create table account.touched (
    batch bigint not null,
    account_id bigint not null references account.accounts on delete cascade,
    primary key (batch, account_id)
);
