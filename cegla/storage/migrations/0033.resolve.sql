-- Why a person took a link back, in their own words.
alter table resolve.edges add column retracted_why text;
