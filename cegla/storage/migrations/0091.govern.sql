-- Govern: who did what to one thing is asked on its page.
create index audit_about on govern.audit (target, number desc);
