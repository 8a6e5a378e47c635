-- An identifier may change its bearer: until its release it is one identity, from then on another.
alter table resolve.identities add column until timestamptz not null default 'infinity';  -- events before it point here; infinity: today's bearer
alter table resolve.identities drop constraint identities_value_type_holder_id_key;
create unique index identities_by_value on resolve.identities (value, type, holder_id, until);

-- Moments from which an identifier names somebody else, each with its reason. Personal data: value and reason.
create table resolve.releases (
    release_id bigint generated always as identity primary key,
    type text not null,
    value text not null,
    at timestamptz not null,                     -- the beginning of a day, UTC
    reason text not null,
    actor text not null,
    made_at timestamptz not null,
    unique (value, type, at)
);
