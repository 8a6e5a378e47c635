-- What all collectors together counted since the beginning; each adds what is new every two seconds, so none keeps a row of its own.
alter table collect.figures drop constraint figures_pkey, drop column writer, add primary key (name, labels);
