"""Analysers: which are on, for what, what they found over all people, and runs on request."""

from typing import Annotated, Any

from fastapi import Query

from cegla.api.call import Opened
from cegla.api.shapes import After, Limit, RunOrder, Switching
from cegla.night import analyse
from cegla.profile import actions as profile
from cegla.vocabulary.people import person_label

Value = Annotated[str, Query(max_length=500, description="the value; of lists a part, of shares the first name, of moments a month; of numbers low..high")]


def listed(call: Opened) -> Any:
    """Every analyser: what it answers, from what, for which purpose, whether it is on, what it found, and when it ran."""
    with call.ws.transaction() as conn:
        found = profile.runs.overview(conn)
    return {"analysers": [_shown(one) for one in found]}


def switched(call: Opened, analyser: str, body: Switching) -> Any:
    """Turn an analyser on for a purpose, or off: then everything it found and learnt goes at once."""
    with call.ws.transaction() as conn:
        profile.runs.switch(conn, analyser, body.on, body.purpose, call.caller.name, call.now)
        found = [one for one in profile.runs.overview(conn) if one.analyser.key == analyser]
    return _shown(found[0])


def run(call: Opened, body: RunOrder) -> Any:
    """Ask for a run; the app does it part by part, and so does each call of `/analysers/work`."""
    with call.ws.transaction() as conn:
        asked = profile.runs.ask(conn, [profile.runs.row_of(key).key for key in body.analysers], call.caller.name, call.now, everybody=body.full)
    return {"runs": asked}


def work(call: Opened) -> Any:
    """Do the next part of the oldest run; `run` is null when there is none."""
    return {"run": analyse(call.ws, profile.runs.Worker())}


def run_shown(call: Opened, run: int) -> Any:
    """How far a run is."""
    with call.ws.transaction() as conn:
        return profile.runs.run_of(conn, run)


def trait(call: Opened, trait: str) -> Any:
    """The distribution of a trait over all people."""
    row, one = profile.runs.trait_of(trait)
    with call.ws.transaction() as conn:
        found = profile.runs.summaries(conn).get(trait)
    return {"trait": one.key, "label": one.label, "analyser": row.key, "value_type": one.value_type, "summary": found}


def people(call: Opened, trait: str, value: Value, after: After = 0, limit: Limit = 50) -> Any:
    """The people of whom a trait has a value."""
    with call.ws.transaction() as conn:
        found = profile.runs.people_with(conn, trait, value, after, limit)
    return {
        "people": [{"person": person_label(person), "confidence": confidence} for person, confidence in found],
        "next_after": found[-1][0] if len(found) == limit else None,
    }  # fmt: skip


def _shown(one: Any) -> dict[str, Any]:
    row, last = one.analyser, one.last
    traits = [{"trait": trait.key, "label": trait.label, "summary": one.summaries.get(trait.key)} for trait in row.traits]
    return {
        "analyser": row.key, "label": row.label, "answers": row.promise, "on": one.switch.is_on, "purpose": one.switch.purpose,
        "legal_class": row.legal_class, "changed_at": one.switch.changed_at, "changed_by": one.switch.changed_by, "schedule": row.schedule,
        "method": row.method_version, "inputs": row.inputs, "data": row.data, "learnt_at": one.learnt.learnt_at, "waits": bool(last and last.is_waiting),
        "last_run_at": last and last.finished_at, "failing": one.failing, "people": one.people, "known": one.known, "traits": traits,
    }  # fmt: skip
