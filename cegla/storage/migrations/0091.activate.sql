-- Act: only text messages are asked for by their address, as their replies name nothing else; an index over every address cost each letter an entry.
drop index activate.messages_address_handed_at_idx;
create index messages_of_phone on activate.messages (address, handed_at) where handed_at is not null and position('@' in address) = 0;
