-- Govern: was an address suppressed since the gate was asked? It is looked for at each hand-off.
create index on govern.suppressed (at);
