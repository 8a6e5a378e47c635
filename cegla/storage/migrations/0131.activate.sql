-- The trace of the call that asked for a message, so that the message and what becomes of it can be found by it.
alter table activate.messages add column trace text;
create index messages_traces on activate.messages (substr(trace, 4, 32)) where trace is not null;
