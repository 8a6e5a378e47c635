-- What intake leaves to be done right after its batches: traits and segments of the people whom they touched. Those with events
-- are found by the batch's number in the warehouse; here are the others, whose identities moved.
create table storage.moved_people (
    batch bigint not null,
    person_id bigint not null,
    absorbed boolean not null,                   -- somebody else holds this person's own identity now
    primary key (batch, person_id)
);

create table storage.refreshed (
    only_row boolean primary key default true check (only_row),
    batch bigint not null                        -- traits and segments hold everything up to this batch
);
insert into storage.refreshed (batch) select coalesce(max(number), 0) from storage.batches;
