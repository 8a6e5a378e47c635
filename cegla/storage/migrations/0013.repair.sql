-- Quarantine gets a slice of its own: who sent what could not be used, and the runs that fixed, replayed or discarded it.
create schema repair;
alter table collect.quarantine set schema repair;
alter table repair.quarantine
    add column event text,                                  -- the event's name as far as it can be read
    add column remembered boolean not null default false,   -- its (source, messageId) was marked as seen on its behalf
    add column gpc boolean not null default false,          -- the browser sent Sec-GPC: 1
    add column ip text,                                     -- truncated to /24 or /48
    add column user_agent text,
    add column erased_at timestamptz,                       -- its content went when a person was erased
    add column discarded_at timestamptz,
    add column run_id bigint;                               -- the run that replayed or discarded it
update repair.quarantine set remembered = true where reason = 'missing_identity' and detail = 'every identifier is blank or blocked';
create index on repair.quarantine (id) where replayed_at is null and discarded_at is null;
create index on repair.quarantine (source_id, message_id);

-- One decision on many events: replay them, after a fix or as they are, or discard them. It goes on where it stopped.
create table repair.runs (
    id bigint generated always as identity primary key,
    what text not null,                          -- replay, discard
    filter jsonb not null,                       -- which events; the keys of repair.matches
    fix jsonb,                                   -- the steps that change each event before it is replayed
    why text not null default '',                -- in the words of whoever decided
    started_by text not null,
    started_at timestamptz not null,
    last_id bigint not null default 0,           -- events up to here were looked at
    until_id bigint not null,                    -- the newest event when it began; later ones are not touched
    events bigint not null,                      -- how many matched when it began
    done bigint not null default 0,
    left_out jsonb not null default '{}',        -- how many stayed, by why
    ended_at timestamptz,
    stopped_by text
);
create index on repair.runs (id) where ended_at is null;

-- Whether an event in quarantine is one of those a filter asks for. An absent key asks for nothing.
create function repair.matches(q repair.quarantine, f jsonb) returns boolean language sql stable as $$
    select case coalesce(f ->> 'state', 'open')
            when 'open' then q.replayed_at is null and q.discarded_at is null
            when 'replayed' then q.replayed_at is not null
            when 'discarded' then q.discarded_at is not null
            else true end
        and (f -> 'ids' is null or f -> 'ids' @> to_jsonb(q.id))
        and (f ->> 'reason' is null or q.reason = f ->> 'reason')
        and (f ->> 'source_id' is null or q.source_id = (f ->> 'source_id')::integer)
        and (f ->> 'event' is null or q.event = f ->> 'event')
        and (f ->> 'since' is null or q.set_aside_at >= (f ->> 'since')::timestamptz)
        and (f ->> 'until' is null or q.set_aside_at < (f ->> 'until')::timestamptz)
        and (f ->> 'text' is null or position(f ->> 'text' in q.detail) > 0
            or (q.payload is not null and position(convert_to(f ->> 'text', 'UTF8') in q.payload) > 0))
$$;
