-- In which language the reasons of refused rows are written: that of whoever had the app do the import. Null: the installation's.
alter table collect.imports add column language text;
