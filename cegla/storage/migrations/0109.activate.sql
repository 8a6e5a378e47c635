-- Act: the waiting messages of one destination, found without a look at those of others.
create index messages_waiting_there on activate.messages (campaign_id, destination, due_at, id) where waits;
