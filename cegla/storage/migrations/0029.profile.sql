-- Computed traits: what people define to be counted, version by version, and what came of it for each person.
create table profile.definitions (
    key text not null,
    version integer not null,
    document jsonb not null,                          -- as written: label, what is counted, purpose, retention
    kind text not null,                               -- count, money, number, moment, text, list
    zero boolean not null,                            -- nothing counted is 0, not unknown
    said_pl text not null,                            -- the calculation as a sentence
    said_en text not null,
    made_at timestamptz not null,
    made_by text not null,
    removed_at timestamptz,                           -- of the newest version: the trait is gone
    removed_by text,
    primary key (key, version)
);

-- The values of a person by the key of the trait, each with its evidence; rebuilt at any time from the warehouse.
create table profile.computed (
    person_id bigint primary key,
    known jsonb not null,
    computed_at timestamptz not null,
    due_at timestamptz                                -- when time alone changes one of them; null: never
) with (fillfactor = 70);
create index on profile.computed (due_at) where due_at is not null;
