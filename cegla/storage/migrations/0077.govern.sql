-- How far each class of history was announced and removed by its age. class: a row of storage/retention.py; days: what the setting was when it was
-- announced; due: rows that would have gone then; removed_at, removed: the last removal and its rows.
create table govern.retention (
    class text primary key,
    days integer not null,
    announced_at timestamptz not null,
    due bigint not null,
    removed_at timestamptz,
    removed bigint not null default 0
);
