-- Why somebody looked at a person or an event, in their own words, beside the audit log and not in its chain: words may name somebody, so they
-- are exported and erased with the person, and forgotten after 90 days. number: the row of the audit log.
create table govern.reasons (
    number bigint primary key,
    at timestamptz not null,
    target text not null,
    why text not null
);
create index on govern.reasons (target);
create index on govern.reasons (at);
