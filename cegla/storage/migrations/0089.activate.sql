-- Act: when a campaign goes out, and the variant that the rest of its audience gets once it is chosen.
alter table activate.campaigns add column send_at timestamp; -- a wall clock, without a zone; null: at once
alter table activate.campaigns add column clock text not null default 'shop'; -- whose: shop, person, or usual (each person's usual hour within a day from then on)
alter table activate.campaigns add column begins_at timestamptz; -- of a scheduled campaign: when its audience is decided
create index on activate.campaigns (begins_at) where state = 'scheduled';

alter table activate.campaigns add column test_percent integer not null default 0; -- of the audience, which compares the variants; 0: everybody does
alter table activate.campaigns add column test_hours integer not null default 24; -- from the launch until a variant is chosen for the rest
alter table activate.campaigns add column winner text; -- the variant chosen for the rest
alter table activate.campaigns add column winner_why text; -- the verdict it was chosen by, or chosen by hand
alter table activate.campaigns add column winner_at timestamptz;
alter table activate.campaigns add column fires_at timestamptz; -- when the rest is sent: until then the choice can be changed
