-- Which intake batches are committed: written in the transaction that applies the batch, and read after a crash to
-- take back warehouse rows of a batch that never was.
create table storage.batches (
    number bigint primary key,
    last_event_id bigint not null,
    events integer not null,
    committed_at timestamptz not null
);
