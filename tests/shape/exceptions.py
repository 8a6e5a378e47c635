"""What may break a budget, and why. The list only shrinks: an entry that is not needed any more fails the tests, and so
does a list longer than `MOST`."""

MOST = 8

BROAD_EXCEPT = {
    "cegla/flow.py::Intake.apply": "a batch that fails for an unknown reason is logged, cut smaller and tried again, so that one event cannot stop the river",
    "cegla/profile/analysing.py::alone": "one analyser that fails for whatever reason leaves the others alone: it is noted, and whom it failed on stays due",
    "cegla/worker/loops.py::Loops._repeat": "a loop outlives any failure of one round: it logs it with its trace, waits and goes on",
}

LONG_FUNCTION: dict[str, str] = {}

LONG_FILE: dict[str, str] = {}

MANY_ARGUMENTS: dict[str, str] = {}

FORBIDDEN_ENTRY: dict[str, str] = {
    "cegla.worker.collector -> cegla.collect.wire": "a collector loads the door alone: with the actions it would take three seconds to start and twice the memory",
}

IMPURE_RULE: dict[str, str] = {}

SQL_OUTSIDE: dict[str, str] = {}

NUMBER_OF_ACTIONS: dict[str, str] = {
    "collect": "the steps of intake, file imports and the duties of a holder share this slice; file imports are the first to move out",
    "activate": "campaigns, their sending and what recipients click share this slice until journeys divide it",
    "segment": "definitions and stored membership share this slice, and both need a page, a count and an explanation; membership is the first to move out",
    "govern": "the gate, requests of persons, the audit log and sign-in share this slice until users and roles grow one of their own",
}

ALL = {
    "broad except": BROAD_EXCEPT,
    "long function": LONG_FUNCTION,
    "long file": LONG_FILE,
    "many arguments": MANY_ARGUMENTS,
    "entry beside actions": FORBIDDEN_ENTRY,
    "impure rule": IMPURE_RULE,
    "SQL outside store.sql": SQL_OUTSIDE,
    "number of actions": NUMBER_OF_ACTIONS,
}
