-- What analysers found about people, which of them are on and why, what they learnt from the own base, and their runs.

-- What an analyser found about a person: {"traits": {key: {"value", "confidence", "n", "reason"}}, "facts": {name: value}}.
-- Of whom there is no evidence there is no row. Rebuilt at any time from the warehouse and the declared traits.
create table profile.findings (
    person_id bigint not null,
    analyser text not null,
    found jsonb not null,
    version integer not null,
    data_version text not null,
    parameters integer not null,
    purpose text not null,
    computed_at timestamptz not null,
    primary key (analyser, person_id)
) with (fillfactor = 80);
create index on profile.findings (person_id);

-- Analysers that somebody turned on or off; the others are as their row says.
create table profile.switches (
    analyser text primary key,
    is_on boolean not null,
    purpose text not null,
    changed_at timestamptz not null,
    changed_by text not null
);

-- What analysers learnt from the own base, by version; findings name the one they rest on.
create table profile.parameters (
    analyser text not null,
    version integer not null,
    learnt_at timestamptz not null,
    people bigint not null,
    parameters jsonb not null,
    primary key (analyser, version)
);

-- Runs of analysers over everybody, or over the people touched since an earlier one. One is at work at a time.
create table profile.runs (
    id bigint generated always as identity primary key,
    analysers text[] not null,
    everybody boolean not null,
    after_batch bigint not null,
    upto_batch bigint,
    asked_by text not null,
    asked_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    people bigint not null default 0,
    done bigint not null default 0,
    last_person bigint not null default 0,
    seconds double precision not null default 0,
    failed text
);
create index on profile.runs (finished_at);

-- People whose findings were dropped although they live on (an import was taken back): the next run looks at them.
create table profile.waiting (
    person_id bigint primary key
);

-- What the findings of an analyser look like over all people: coverage, spread of confidence, distribution of values.
create table profile.summaries (
    trait text primary key,
    analyser text not null,
    summary jsonb not null,
    computed_at timestamptz not null
);

-- Birthdays and ages that were declared: no analyser looks at people under 16.
create index on profile.declared ((value #>> '{}')) where key in ('birthday', 'birth_date', 'birthdate', 'date_of_birth', 'age');
