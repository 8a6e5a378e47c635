-- name: refused
-- Pairs that a person said are two. Columns: low_person, high_person.
select low_person, high_person from match.proposals where state = 'refused';

-- name: propose!
-- Put the pairs found into the list: new ones open, open ones with what is known now; decided ones stay as they are.
insert into match.proposals as p (low_person, high_person, probability, findings, version, proposed_at)
select f.low, f.high, f.probability, f.findings, :version, :now
from unnest(:lows::bigint[], :highs::bigint[], :probabilities::double precision[], :findings::jsonb[]) as f (low, high, probability, findings)
on conflict (low_person, high_person) do update
    set probability = excluded.probability, findings = excluded.findings, version = excluded.version, proposed_at = p.proposed_at
where p.state = 'open';

-- name: withdraw!
-- Take back open proposals that the newest run did not find again.
delete from match.proposals p
where p.state = 'open' and not exists (
    select 1 from unnest(:lows::bigint[], :highs::bigint[]) as f (low, high) where f.low = p.low_person and f.high = p.high_person
);

-- name: count_in$
-- How many proposals are in a state.
select count(*) from match.proposals where state = :state;

-- name: listed
-- Proposals of a state, the likeliest first, behind a place. Columns as in Proposal.
select id, low_person, high_person, probability, findings, version, proposed_at, state, decided_at, decided_by from match.proposals
where state = :state and (:after::bigint is null or (-probability, id) > (-:likelier::double precision, :after::bigint))
order by probability desc, id limit :limit;

-- name: one^
-- A proposal. Columns as in Proposal.
select id, low_person, high_person, probability, findings, version, proposed_at, state, decided_at, decided_by from match.proposals where id = :id;

-- name: of_person
-- The open proposals that name a person. Columns as in Proposal.
select id, low_person, high_person, probability, findings, version, proposed_at, state, decided_at, decided_by from match.proposals
where state = 'open' and (low_person = :person or high_person = :person) order by probability desc, id;

-- name: decide^
-- Settle an open proposal; none when it is not open. Columns as in Proposal.
update match.proposals set state = :state, decided_at = :now, decided_by = :actor where id = :id and state = 'open'
returning id, low_person, high_person, probability, findings, version, proposed_at, state, decided_at, decided_by;

-- name: forget_open!
-- Open proposals that name one of these people go: the next run looks at whoever they are now.
delete from match.proposals where state = 'open' and (low_person = any(:people::bigint[]) or high_person = any(:people::bigint[]));

-- name: accepted_of
-- Accepted proposals that name one of these people. Columns: id, low_person, high_person.
select id, low_person, high_person from match.proposals
where state = 'accepted' and (low_person = any(:people::bigint[]) or high_person = any(:people::bigint[]));

-- name: reopen!
-- These proposals wait for a decision again.
update match.proposals set state = 'open', decided_at = null, decided_by = null where id = any(:ids::bigint[]);

-- name: drop!
-- These proposals go.
delete from match.proposals where id = any(:ids::bigint[]);

-- name: naming
-- Every proposal that names one of these identities. Columns: low_person, high_person, probability, findings, state, proposed_at, decided_at.
select low_person, high_person, probability, findings, state, proposed_at, decided_at from match.proposals
where low_person = any(:ids::bigint[]) or high_person = any(:ids::bigint[]) order by id;

-- name: erase!
-- Every proposal that names one of these identities goes.
delete from match.proposals where low_person = any(:ids::bigint[]) or high_person = any(:ids::bigint[]);
