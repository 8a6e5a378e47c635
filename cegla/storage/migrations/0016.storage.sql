-- Which event of which request became which row of the history, when it counts as having happened and whose it is, and the
-- lines of the merge log: enough to write the batch's rows again from the requests. Compressed columns (storage/batches.py);
-- gone when the requests are.
alter table storage.batches add column receipt bytea, add column moves bytea;
alter table storage.batches alter column receipt set storage external, alter column moves set storage external;
