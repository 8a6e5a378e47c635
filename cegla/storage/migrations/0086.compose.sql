-- Compose: letters and snippets as blocks, every edit of theirs (for undo), the versions that were published, what uses them, hosted images.
create schema compose;

create table compose.letters (
    id integer generated always as identity primary key,
    kind text not null, -- letter or snippet
    name text not null,
    revision integer not null, -- of the draft: the edit it stands at
    newest integer not null, -- the last edit; greater than revision after an undo
    editor text not null, -- the open page that wrote last
    version integer not null default 0, -- the newest that was published; 0: none
    made_at timestamptz not null,
    changed_at timestamptz not null,
    changed_by text not null
);

-- Each edit as a whole document, the newest so many of them.
create table compose.edits (
    letter_id integer not null references compose.letters on delete cascade,
    revision integer not null,
    document jsonb not null,
    made_at timestamptz not null,
    primary key (letter_id, revision)
);

-- What was published: never changed afterwards.
create table compose.versions (
    letter_id integer not null references compose.letters on delete cascade,
    version integer not null,
    document jsonb not null,
    made_at timestamptz not null,
    made_by text not null,
    primary key (letter_id, version)
);

-- Which campaign says what a letter says, as which of its variants.
create table compose.uses (
    campaign_id integer not null,
    variant text not null,
    letter_id integer not null references compose.letters on delete cascade,
    version integer not null, -- that it was given last
    primary key (campaign_id, variant)
);

create index uses_of_letters on compose.uses (letter_id);

-- Images we host: made anew from what was uploaded, named by their content.
create table compose.images (
    name text primary key, -- so many letters of the content's SHA-256, and the ending
    media_type text not null,
    width integer not null,
    height integer not null,
    bytes integer not null,
    label text not null,
    added_at timestamptz not null,
    content bytea not null
);
