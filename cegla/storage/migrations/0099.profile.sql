-- A digest of each finding and of what it rests on, so that a run tells what changed without reading what was found. Null: found before there were digests.

alter table profile.findings add column digest bigint;
