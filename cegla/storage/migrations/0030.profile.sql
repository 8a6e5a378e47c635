-- Where declared traits are from, whose word counts more, and what people corrected.
alter table profile.declared add column message_id text not null default '';      -- the sender's own id of the event that declared it
alter table profile.declared drop constraint declared_pkey, add primary key (identity_id, key, source_id, import_id);

-- How credible sources are: where two declare the same trait, the higher rank wins, whatever came later. No row: 0.
create table profile.source_ranks (
    source_id integer primary key,
    rank integer not null,
    changed_at timestamptz not null,
    changed_by text not null
);

-- What people had corrected (GDPR art. 16): wins over everything that is declared. Null: the trait is not true of them.
create table profile.corrections (
    identity_id bigint not null,
    key text not null,
    value jsonb,
    corrected_at timestamptz not null,
    corrected_by text not null,
    primary key (identity_id, key)
);
