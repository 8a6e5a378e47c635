-- What waits for one reason, newest first: without it a page of a rare reason reads everything that waits.
create index on repair.quarantine (reason, id) where replayed_at is null and discarded_at is null;
