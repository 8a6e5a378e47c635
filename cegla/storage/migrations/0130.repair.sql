-- What goes back through the door stays in its trace.
alter table repair.quarantine add column trace text;
