-- May we? Who adds to an identity's chain holds it until the end of the transaction, so that two writers never follow the same decision.
-- A batch has tens of thousands of identities, and the server room for a few thousand locks: 1,024 locks share all chains. Always taken
-- from the lowest, and after the lock on the table.
create function govern.hold_chains(identities bigint[]) returns void language plpgsql as $$
begin
    perform pg_advisory_xact_lock(7236458, place)
    from (select distinct (identity % 1024)::integer as place from unnest(identities) as asked (identity) order by place) as places;
end
$$;

-- The number was taken before the wait: whoever wrote meanwhile may have a higher one, and the end of a chain is its highest number.
create or replace function govern.chain_decision() returns trigger language plpgsql set plan_cache_mode = force_generic_plan as $$
declare
    before bytea;
begin
    perform pg_advisory_xact_lock(7236458, (new.identity_id % 1024)::integer);
    select record_id, link into new.follows, before
    from govern.decisions where identity_id = new.identity_id order by record_id desc limit 1;
    if new.follows > new.record_id then
        new.record_id := nextval('govern.decisions_record_id_seq');
    end if;
    new.link := govern.link(coalesce(before, ''), new);
    return new;
end
$$;
