-- Rules that an installation can change, and what analytics learns of merges.
alter table resolve.identities add column merges integer not null default 0;  -- of a person, on the row that names it: joins of two who each held two identifiers or more

alter table resolve.moves add column rule text;                               -- of the link behind it: alias, stated, seen, same
alter table resolve.moves add column event_at timestamptz;                    -- event time of that link
alter table resolve.moves add column source_id integer;
alter table resolve.moves add column message_id text;

alter table resolve.state add column told_moves bigint not null default 0;    -- up to here the warehouse knows the merge log

create index on resolve.edges (refused, edge_id) where refused is not null;

-- Identifiers that were left out before they could become one, counted: no value is kept.
create table resolve.left_out (
    reason text not null,                        -- too_long
    type text not null,
    source_id integer not null,
    times bigint not null,
    last_at timestamptz not null,
    last_message_id text not null,
    primary key (reason, type, source_id)
);
