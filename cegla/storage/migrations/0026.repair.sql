-- An event is looked up by its place in the inbox.
create index on repair.quarantine (writer, number);
