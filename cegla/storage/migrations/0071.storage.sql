-- How far the night's work is, step by step: a step that fails does so alone and is tried again, and a restart repeats none.
create table storage.night_steps (
    step text primary key,
    day date not null,              -- the night of this day, by the shop's clock
    attempts integer not null,
    tried_at timestamptz not null,  -- when the last attempt began
    done_at timestamptz             -- null: it failed, goes on, or was cut off
);
