-- May we? Who adds decisions by the thousand brings their links along; of whoever does not, the database makes them, each with one plan for all.
-- A link that is not what `govern.link` says shows in the check of the ledger, whoever wrote it.
alter function govern.chain_decision() set plan_cache_mode = force_generic_plan;
drop trigger chained on govern.decisions;
create trigger chained before insert on govern.decisions for each row when (new.link is null) execute function govern.chain_decision();
