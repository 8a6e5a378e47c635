-- When traits and segments were brought up to which batch, so that what changed with an event can be told afterwards.
-- Gone with the receipts of the batches.
create table storage.refreshes (
    batch bigint primary key,                    -- everything up to this batch
    at timestamptz not null                      -- the moment that entered and left segments bear, too
);

-- The batch of a request is looked for from the moment it was written down.
create index batches_committed on storage.batches (committed_at);
