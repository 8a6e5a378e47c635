-- What an installation says about identifiers, one row a version, the newest in force; none means the defaults. It lies here,
-- because intake, imports, look-ups and the suppression list normalize alike and all of them read it.
create table storage.identifier_rules (
    number integer primary key,
    document jsonb not null,                     -- what differs from the defaults
    made_at timestamptz not null,
    made_by text not null,
    settled_at timestamptz,                      -- when everybody had been derived by it; null while that goes on
    moved integer not null default 0             -- identities that found another person by it
);
