-- What portraits said of each person last night: to what somebody is drawn, the group of alike customers, the band of age. Rules ask for it.
create table segment.portraits (
    person_id bigint not null,
    kind text not null,                               -- see segment/rules/portrayed.py
    words jsonb not null,                             -- a list of texts, the most telling first
    found_at timestamptz not null,
    primary key (kind, person_id)
);
create index on segment.portraits (person_id);
