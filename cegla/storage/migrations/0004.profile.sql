-- What do we know? Facts of each person, traits that senders declared, and the sessions that are still open.
create schema profile;

-- The aggregates of a person's history that traits are read from. Rebuilt at any time from the warehouse.
create table profile.profiles (
    person_id bigint primary key,
    facts jsonb not null,
    computed_at timestamptz not null
) with (fillfactor = 70);

-- Traits as identify calls declared them, by identity, with source and time. A null value was taken back.
create table profile.declared (
    identity_id bigint not null,
    key text not null,
    value jsonb,
    source_id integer not null,
    declared_at timestamptz not null,
    primary key (identity_id, key)
) with (fillfactor = 80);

-- The newest session of each identity, and one that late events still reach. Moments are microseconds since 1970.
create table profile.sessions (
    identity_id bigint primary key,
    session_id bigint not null,
    started bigint not null,
    last bigint not null,
    campaign text,
    late_session_id bigint,
    late_started bigint,
    late_last bigint,
    late_campaign text
) with (fillfactor = 70);
