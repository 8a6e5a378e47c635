-- May we? Double opt-in: what became of each request that waits to be confirmed from its mailbox.
create table govern.confirmations (
    record_id bigint primary key,
    identity_id bigint not null,
    purpose text not null,
    letter_at timestamptz, -- a letter left then; null: none did
    outcome text not null, -- letter, repeated, too_late, no_address
    settled_at timestamptz not null
);
create index on govern.confirmations (identity_id, purpose, letter_at);
create index on govern.decisions (record_id) where state = 'requested';
