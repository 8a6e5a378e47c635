-- Act: the push service of a subscription, and when the browser was heard of last.
alter table activate.push_subscriptions add column host text not null default '';
alter table activate.push_subscriptions add column seen_at timestamptz;
