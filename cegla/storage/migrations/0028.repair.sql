-- An event that its sender tries again while it waits in quarantine is one row that counts how often it came.
alter table repair.quarantine
    add column times integer not null default 1,
    add column last_at timestamptz;                         -- when it came last; null: once only

with again as (
    select id, first_value(id) over same as kept, count(*) over same as times, max(set_aside_at) over same as last_at
    from repair.quarantine where replayed_at is null and discarded_at is null and message_id is not null
    window same as (partition by source_id, message_id, reason order by id rows between unbounded preceding and unbounded following)
), gone as (
    delete from repair.quarantine q using again a where q.id = a.id and a.id <> a.kept
)
update repair.quarantine q set times = a.times, last_at = a.last_at from again a where q.id = a.id and a.id = a.kept and a.times > 1;

-- Pages of a filter go down these, however much lies in quarantine.
create unique index quarantine_waiting_once on repair.quarantine (source_id, message_id, reason)
    where replayed_at is null and discarded_at is null and message_id is not null;
create index on repair.quarantine (source_id, id) where replayed_at is null and discarded_at is null;
create index on repair.quarantine (event, id) where replayed_at is null and discarded_at is null;
create index on repair.quarantine (set_aside_at) where replayed_at is null and discarded_at is null;
create index on repair.quarantine (id) where replayed_at is not null;
create index on repair.quarantine (id) where discarded_at is not null;

-- How many events lie in quarantine, so that nobody has to count them. By the hour, because in most time zones days begin at one.
create table repair.tallies (
    source_id integer not null,
    reason text not null,
    event text not null,                         -- '' for none
    state text not null,                         -- open, replayed, discarded
    hour timestamptz not null,                   -- in which it was set aside
    events bigint not null,
    primary key (source_id, reason, event, state, hour)
);

create function repair.state_of(replayed_at timestamptz, discarded_at timestamptz) returns text language sql immutable as $$
    select case when replayed_at is not null then 'replayed' when discarded_at is not null then 'discarded' else 'open' end
$$;
create function repair.hour_of(moment timestamptz) returns timestamptz language sql immutable as $$
    select date_bin('1 hour', moment, '2000-01-01 00:00:00+00')
$$;

insert into repair.tallies
select source_id, reason, coalesce(event, ''), repair.state_of(replayed_at, discarded_at), repair.hour_of(set_aside_at), sum(events)
from repair.quarantine group by 1, 2, 3, 4, 5;

-- What a statement changed is counted after it, in one order always, so that two writers never wait for each other in a circle.
create function repair.count_changed() returns trigger language plpgsql as $$
begin
    execute format($count$
        insert into repair.tallies as t
        select source_id, reason, coalesce(event, ''), repair.state_of(replayed_at, discarded_at), repair.hour_of(set_aside_at), sum(change)
        from (%s) changed group by 1, 2, 3, 4, 5 having sum(change) <> 0 order by 1, 2, 3, 4, 5
        on conflict (source_id, reason, event, state, hour) do update set events = t.events + excluded.events $count$,
        concat_ws(' union all ',
            case when tg_op <> 'DELETE' then 'select *, events as change from came' end,
            case when tg_op <> 'INSERT' then 'select *, -events as change from went' end));
    return null;
end $$;

create trigger came after insert on repair.quarantine referencing new table as came for each statement execute function repair.count_changed();
create trigger went after delete on repair.quarantine referencing old table as went for each statement execute function repair.count_changed();
create trigger moved after update on repair.quarantine referencing old table as went new table as came for each statement execute function repair.count_changed();

-- Whether an event in quarantine is one of those a filter asks for, with what an index can find as values of their own types. What is absent asks for nothing.
create function repair.matches(q repair.quarantine, f jsonb, ids bigint[], since timestamptz, until timestamptz) returns boolean language sql stable as $$
    select case coalesce(f ->> 'state', 'open')
            when 'open' then q.replayed_at is null and q.discarded_at is null
            when 'replayed' then q.replayed_at is not null
            when 'discarded' then q.discarded_at is not null
            else true end
        and (ids is null or q.id = any(ids))
        and (f ->> 'reason' is null or q.reason = f ->> 'reason')
        and (f ->> 'source_id' is null or q.source_id = (f ->> 'source_id')::integer)
        and (f ->> 'event' is null or q.event = f ->> 'event')
        and (since is null or q.set_aside_at >= since)
        and (until is null or q.set_aside_at < until)
        and (f ->> 'text' is null or position(f ->> 'text' in q.detail) > 0
            or (q.payload is not null and position(convert_to(f ->> 'text', 'UTF8') in q.payload) > 0))
$$;
