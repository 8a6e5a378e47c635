-- How far what analysers find right after events follows: under a flood it rests longer than traits and segments.
alter table storage.refreshed add column found bigint not null default 0;   -- analysers were asked about everything up to this batch
update storage.refreshed set found = batch;
