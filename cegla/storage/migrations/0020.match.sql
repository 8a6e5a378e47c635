-- Who could be the same? Pairs of people who are likely one, proposed to a person who accepts or refuses.
create schema match;

-- People are named by an identity each, so that a refusal holds for whoever owns those identities later. Findings name the
-- level of each comparison and its weight; they hold no name, number or address.
create table match.proposals (
    id bigint generated always as identity primary key,
    low_person bigint not null,
    high_person bigint not null,
    probability double precision not null,
    findings jsonb not null,
    version text not null,
    proposed_at timestamptz not null,
    state text not null default 'open',          -- open, accepted, refused
    decided_at timestamptz,
    decided_by text,
    unique (low_person, high_person),
    check (low_person < high_person)
);
create index on match.proposals (state, probability desc, id);
create index on match.proposals (high_person);
