-- An analyser that fails leaves the others alone: whom it failed on is due to it, and how it fails is remembered.

-- People in ranges of numbers (after, upto] on whom an analyser failed: a later run looks at them.
create table profile.due (
    id bigint generated always as identity primary key,
    analyser text not null,
    after_person bigint not null,
    upto_person bigint not null
);
create index on profile.due (analyser);
create index on profile.due (upto_person);

-- How analysers failed: the kind of error and the line of ours it came from, never its words, which may name a person.
create table profile.failures (
    analyser text primary key,
    failures bigint not null,
    in_a_row integer not null,
    error text not null,
    line text not null,
    failed_at timestamptz not null
);

-- The newest row of due that a run knew of when it began.
alter table profile.runs add column due_upto bigint not null default 0;
