-- Act: rules across campaigns (how often, when, who goes first, no offer twice) and experiments (variants, a group held out).
alter table activate.campaigns add column priority integer not null default 5; -- 1 to 9; the higher goes first where only one may
alter table activate.campaigns add column offer text not null default ''; -- what is offered, by a name of the author's; empty: nothing that could repeat
alter table activate.campaigns add column offer_days integer not null default 30;
alter table activate.campaigns add column goal text not null default 'orders'; -- orders or clicks
alter table activate.campaigns add column variants jsonb not null default '[]'; -- beside A, the campaign's own content: key, version, share

-- Which content somebody was given, or that they were held out; empty: left out for another reason, so in no comparison.
alter table activate.messages add column arm text not null default '';

-- How often and when people may be written to on a channel; a channel without a row has what ships.
create table activate.limits (
    channel text primary key,
    per_day integer not null, -- 0: no limit
    quiet_from time, -- of the person's own clock; null: no quiet hours
    quiet_until time,
    changed_at timestamptz not null
);
