-- The trace that a request belongs to, as its header traceparent said it; null for most, which costs them nothing.
alter table collect.inbox add column trace text;
create index inbox_traces on collect.inbox (substr(trace, 4, 32)) where trace is not null;
