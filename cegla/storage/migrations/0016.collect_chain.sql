-- How many requests a damaged place stands for: what the heads outside PostgreSQL know, and the store lost.
alter table collect.damage add column requests bigint not null default 1;
