"""Who is who: the links of a person and undoing one, what was refused, and the rules: shown, tried, applied."""

from typing import Annotated, Any

from fastapi import Query

from cegla import regrouping, releasing
from cegla.api.call import Opened, not_found, person_number
from cegla.api.shapes import After, ApplyRules, Limit, ReleaseBody, RulesBody, TakeBack
from cegla.resolve import actions as resolve
from cegla.storage.identifier_rules import current_rules, rule_versions
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.identifiers import UNSTORABLE, Identifier, normalized
from cegla.vocabulary.masking import masked
from cegla.vocabulary.people import person_label
from cegla.vocabulary.text import Text

Reason = Annotated[str | None, Query(description="only those refused for this reason")]
Before = Annotated[int | None, Query(ge=1, description="the link a page goes on from")]


def links(call: Opened, person: str, after: After = 0, moves_after: After = 0, limit: Limit = 100) -> Any:
    """The links that touch the person's identifiers, masked, and the log of what moved to or from them, a page of each.

    `next_after` and `next_moves_after` go on; null: that was all.
    """
    with call.ws.transaction() as conn:
        number = resolve.reach.owners(conn, [person_number(person)]).get(person_number(person))
        if number is None:
            raise not_found("person", person_number(person))
        edges = resolve.links.edges_after(conn, number, after, limit)
        log = resolve.links.history_after(conn, number, moves_after, limit)
    return {
        "person": person_label(number), "links": [_link(edge) for edge in edges], "merges": [_move(move) for move in log],
        "next_after": edges[-1].edge_id if len(edges) == limit else None, "next_moves_after": log[-1].move_id if len(log) == limit else None,
    }  # fmt: skip


def retract(call: Opened, link: int, body: TakeBack | None = None) -> Any:
    """Undo a link for good; history, traits and segments become what they were without it."""
    found = regrouping.take_link_back(call.ws, link, call.caller.name, body.why if body else None)
    return {"link": link, "identities_moved": len(found.moved), "people": [person_label(one) for one in found.people]}


def release(call: Opened, body: ReleaseBody) -> Any:
    """From a day on an identifier is somebody else's: what it tells of before stays with who had it, what follows is a new person's."""
    with call.ws.transaction() as conn:
        value = normalized(body.identifier.type, body.identifier.value, current_rules(conn))
    shown = masked(body.identifier.value, body.identifier.type)
    if value is None or UNSTORABLE in body.identifier.type:
        raise NotFound(where="identifier", seen=shown, thing=shown)
    identifier = Identifier(body.identifier.type, value)
    found = releasing.release_identifier(call.ws, identifier, body.since, body.reason, call.caller.name)
    return {"identities_moved": len(found.moved), "people": [person_label(one) for one in found.people]}


def releases(call: Opened, person: str) -> Any:
    """Which identifiers of a person were released, from when on, by whom and why; masked."""
    with call.ws.transaction() as conn:
        number = resolve.reach.owners(conn, [person_number(person)]).get(person_number(person))
        if number is None:
            raise not_found("person", person_number(person))
        rows = resolve.releasing.releases_of(conn, resolve.links.identity_ids(conn, number))
    return {"person": person_label(number), "releases": [_release(row) for row in rows]}


def undo_release(call: Opened, release: int) -> Any:
    """Take the last release of an identifier back; all is as if it had never been."""
    found = releasing.undo_release(call.ws, release, call.caller.name)
    return {"release": release, "identities_moved": len(found.moved), "people": [person_label(one) for one in found.people]}


def warnings(call: Opened, reason: Reason = None, before: Before = None, limit: Limit = 50) -> Any:
    """What was refused or left out: counted by reason, and the newest refused links. Raises InvalidInput for a reason that there is not."""
    if reason is not None and reason not in resolve.links.WARNINGS:
        known = ", ".join(resolve.links.WARNINGS)
        raise InvalidInput(where="reason", seen=reason, detail=Text(f"nie ma takiego powodu; są: {known}", f"there is no such reason; there are: {known}"))
    with call.ws.transaction() as conn:
        counted = resolve.links.warnings(conn)
        edges = resolve.links.refused_links(conn, limit, reason, before)
    return {
        "counts": [row._asdict() | {"why": resolve.links.WARNINGS[row.reason]} for row in counted],
        "links": [_link(edge) for edge in edges],
        "next_before": edges[-1].edge_id if len(edges) == limit else None,
    }


def rules(call: Opened) -> Any:
    """The rules in force, complete, and every version of what was changed."""
    with call.ws.transaction() as conn:
        return {"rules": current_rules(conn), "versions": rule_versions(conn)}


def try_rules(call: Opened, body: RulesBody) -> Any:
    """What these rules would do to all people there are. Nothing changes."""
    with call.ws.transaction() as conn:
        return shape(resolve.ruling.attempt(conn, body.rules))


def apply_rules(call: Opened, body: ApplyRules) -> Any:
    """Put these rules in force and derive everybody by them; with `version` only if that one was in force at the trial."""
    moved = regrouping.apply_rules(call.ws, body.rules, call.caller.name, body.version)
    with call.ws.transaction() as conn:
        return {"version": rule_versions(conn)[0].number, "identities_moved": moved}


def shape(trial: resolve.ruling.Trial) -> dict[str, Any]:
    """A trial as JSON, with people as they are written."""
    found = trial.difference
    counts = {name: getattr(found, name) for name in ("joined", "parted", "out_of_bounds", "identities_moved", "newly_accepted")}
    examples = {
        "joined": [[person_label(one) for one in row.people] for row in found.joins],
        "parted": [{"person": person_label(row.person), "identifiers": list(row.identities)} for row in found.parts],
        "out_of_bounds": [
            {"person": person_label(row.person), "reason": row.reason.value, "why": resolve.links.WARNINGS[row.reason], "type": row.type, "links": row.links}
            for row in found.bounds
        ],
    }
    refused = {reason.value: number for reason, number in found.newly_refused.items()}
    return {"version": trial.version, "people": trial.people, **counts, "newly_refused": refused, "examples": examples}


def _link(edge: resolve.links.Edge) -> dict[str, Any]:
    ends = ((edge.strong, edge.strong_person), (edge.weak, edge.weak_person))
    return {
        "link": edge.edge_id, "between": [_end(one, person) for one, person in ends], "rule": edge.rule, "trusted": edge.trusted, "at": edge.at,
        "source_id": edge.source_id, "message_id": edge.message_id, "refused": edge.refused, "why": edge.why_refused,
        "retracted_at": edge.retracted_at, "retracted_by": edge.retracted_by, "retracted_why": edge.retracted_why,
    }  # fmt: skip


def _release(row: resolve.releasing.Release) -> dict[str, Any]:
    shown = {"type": row.type, "value": masked(row.value, row.type), "since": row.at.date()}
    return {"release": row.release_id, **shown, "reason": row.reason, "made_by": row.actor, "made_at": row.made_at}


def _end(one: Identifier, person: int) -> dict[str, Any]:
    return {"type": one.type, "value": masked(one.value, one.type), "person": person_label(person)}


def _move(move: resolve.links.Move) -> dict[str, Any]:
    return move._asdict() | {"from_person": person_label(move.from_person), "to_person": person_label(move.to_person)}
