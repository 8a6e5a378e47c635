-- Which segments a page's own script may see of its visitor.
alter table segment.segments add column on_site boolean not null default false;
