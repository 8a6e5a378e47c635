-- May we? The register of purposes in versions, a chain through each identity's decisions, seals over the ledger, and pauses.

-- Purposes, countries, notices and the controller as one document; the newest version counts, as of its time.
create table govern.register (
    number integer primary key,
    document jsonb not null,
    digest bytea not null, -- of the document, so that who knows it need not read it again
    made_at timestamptz not null,
    made_by text not null,
    why text not null
);
create trigger append_only before update or delete on govern.register for each row execute function govern.refuse_change();

-- Each decision carries the hash of its content and of the decision of the same identity before it: a changed row shows, and so does
-- one taken out from between. Chains are per identity, so erasing a person breaks nobody else's.
alter table govern.decisions add column follows bigint;
alter table govern.decisions add column link bytea;

create function govern.link(before bytea, one govern.decisions) returns bytea language sql stable as $$
    select sha256(before || convert_to(jsonb_build_array(
        one.record_id, one.identity_id, one.purpose, one.channel, one.state, extract(epoch from one.at), extract(epoch from one.recorded_at),
        one.source_id, one.method, one.proof)::text, 'UTF8'))
$$;

create function govern.chain_decision() returns trigger language plpgsql as $$
declare
    before bytea;
begin
    select record_id, link into new.follows, before
    from govern.decisions where identity_id = new.identity_id order by record_id desc limit 1;
    new.link := govern.link(coalesce(before, ''), new);
    return new;
end
$$;

alter table govern.decisions disable trigger append_only;
do $$
declare
    one govern.decisions;
    last_identity bigint;
    last_record bigint;
    before bytea := '';
begin
    for one in select * from govern.decisions order by identity_id, record_id loop
        if one.identity_id is distinct from last_identity then
            last_record := null;
            before := '';
        end if;
        before := govern.link(before, one);
        update govern.decisions set follows = last_record, link = before where record_id = one.record_id;
        last_identity := one.identity_id;
        last_record := one.record_id;
    end loop;
end
$$;
alter table govern.decisions enable trigger append_only;
create trigger chained before insert on govern.decisions for each row execute function govern.chain_decision();
create index on govern.decisions (identity_id, record_id desc);

-- The links of decisions that went with an erased person; they name nobody.
create table govern.erased_links (
    record_id bigint primary key,
    link bytea not null
);

-- A seal says how many decisions there were in a stretch of the ledger and what their links came to, so that a stretch cut off
-- at the end of a chain shows too.
create table govern.seals (
    number integer primary key,
    after_record bigint not null,
    up_to_record bigint not null,
    decisions bigint not null,
    sum numeric not null,
    at timestamptz not null
);
create trigger append_only before update or delete on govern.seals for each row execute function govern.refuse_change();

-- Until when a person wants no messages; the newest row of an identity counts.
create table govern.pauses (
    id bigint generated always as identity primary key,
    identity_id bigint not null,
    until timestamptz not null,
    at timestamptz not null,
    method text not null,
    proof jsonb not null
);
create index on govern.pauses (identity_id, id desc);
