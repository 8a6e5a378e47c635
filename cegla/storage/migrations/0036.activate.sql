-- Act: the keys that messages are signed with, one row a selector, the private part sealed with a key outside the database.
create table activate.dkim_keys (
    domain text not null,
    selector text not null,
    algorithm text not null,
    public bytea not null,
    sealed bytea not null,
    state text not null, -- new (publish its record first), signing, retired (its record stays for mail on the way)
    made_at timestamptz not null,
    signing_since timestamptz,
    retired_at timestamptz,
    primary key (domain, selector)
);
create unique index on activate.dkim_keys (domain, algorithm) where state = 'signing';
