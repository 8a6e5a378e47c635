-- Act: what is to be told is a list of its own (activate.to_tell); the mark on each message says nothing any more.
alter table activate.messages drop column told;
