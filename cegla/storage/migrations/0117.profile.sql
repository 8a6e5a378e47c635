-- Findings are a few thousand bytes of numbers: packing each one that is longer than 2,000 bytes took most of the time that its row takes, and is undone at each read.
alter table profile.findings set (toast_tuple_target = 8160);
