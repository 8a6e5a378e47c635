-- Whose decisions were recorded or erased outside intake, so that intake, which remembers what people decided, looks again.
-- Rows live until the next batch.
create table govern.changed_outside (
    identity_id bigint not null
);
