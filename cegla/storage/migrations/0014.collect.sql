-- File imports: what was brought in, by whom, on which basis, how far it is, and what is needed to take it back.
create table collect.imports (
    import_id integer generated always as identity primary key,
    name text not null,                          -- the mapping's name
    actor text not null,
    state text not null,                         -- draft, waiting, running, done, failed, undoing, undone
    runner text not null default 'app',          -- who does the work: the app, or a command
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    undone_at timestamptz,
    undone_by text,
    file_name text not null,
    file_path text not null,
    file_kept boolean not null,                  -- the file is our copy and goes after its time
    file_bytes bigint not null,
    file_sha256 bytea not null,
    errors_path text,
    source_id integer references collect.sources,
    mapping jsonb,
    acquired jsonb,                              -- from, date, basis, notice, proof: kept as long as the import is known
    engine text not null default '',
    rows_about bigint not null default 0,
    rows_done bigint not null default 0,
    result jsonb,                                -- counts only: rows and events hold personal data
    problem jsonb,                               -- why it failed, {pl, en}
    events_undone bigint
);
create index on collect.imports (file_sha256);

-- An import writes to the inbox under a number of its own, so its requests are known and its position is its last number.
alter table collect.writers add column import_id integer unique references collect.imports;

-- Which event ids of which batch came from an import.
create table collect.import_events (
    import_id integer not null references collect.imports,
    batch bigint not null,
    first_event_id bigint not null,
    last_event_id bigint not null,
    primary key (import_id, batch, first_event_id)
);

alter table collect.seen add column import_id integer;

-- What imports say lies beside what everybody else says (0), so that it can be taken away again.
alter table profile.declared add column import_id integer not null default 0;
alter table profile.declared drop constraint declared_pkey, add primary key (identity_id, key, import_id);
create index on profile.declared (import_id) where import_id <> 0;

-- Who made an identity known first, when that was an import; and of links that an import showed, what each side saw:
-- {"0": [at, rule, trusted, source_id, message_id], "7": [...]}, 0 for everybody but imports. Null: no import showed it.
alter table resolve.identities add column import_id integer;
create index on resolve.identities (import_id) where import_id is not null;
alter table resolve.edges add column evidence jsonb;
create index on resolve.edges using gin (evidence) where evidence is not null;

create index on govern.decisions ((proof ->> 'import')) where proof ? 'import';
create index on govern.decisions ((proof ->> 'invalidates')) where state = 'invalidated';
