-- What was set aside is found by its trace, also when its request is gone.
create index on repair.quarantine (substr(trace, 4, 32)) where trace is not null;
