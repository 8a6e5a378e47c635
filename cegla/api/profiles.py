"""The profile API: what is known of a person, found by any identifier in the body of a call, so that no address holds personal data.

    request ─► key ─► body ─┐                                    ┌─► ETag ─► 200 or 304
    request ─► key ─► body ─┼─► one look at the store for all ───┤
    request ─► key ─► body ─┘   that came meanwhile              └─► ...

Requests that come while a look is under way wait and share the next one (`Reads`): sixty-four at once cost little more than one.
"""

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

import msgspec
import psycopg
from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from cegla.api.call import Call, opened, timeline_place
from cegla.api.plain import plain
from cegla.api.reads import Reads
from cegla.api.shapes import IdentifierBody, ReadProfile, ReadProfiles
from cegla.collect import actions as collect
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.profile.actions import KnownPeople
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection, Workspace
from cegla.vocabulary.errors import CeglaError, NotFound
from cegla.vocabulary.errors.access import NotPermitted, WrongKey
from cegla.vocabulary.identifiers import UNSTORABLE, Identifier, normalized
from cegla.vocabulary.masking import masked
from cegla.vocabulary.people import Trait, parse_person_label, person_label

KEY_SECONDS = 1.0  #: a revoked key still reads for at most this long
PERMISSION = "people.read"
SCORES = "scores"
LOOKS = 3  #: for who is joined to another just while being looked for


@dataclass(frozen=True)
class Question:
    """One call on its way: who asks (the token, "" when that is settled), about whom, and what for."""

    token: str
    wanted: tuple[IdentifierBody, ...]
    about: ReadProfile | ReadProfiles


Found = dict[str, Any] | CeglaError


class Looked(NamedTuple):
    """What one look found of everybody asked about, and when it was."""

    known: KnownPeople
    segments: dict[int, list[segment.Standing]]
    identities: dict[int, list[int]]
    now: datetime


class Profiles:
    """Answers questions about profiles, many at a time. One for each API."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        self._keys: dict[str, float] = {}  # secret keys that were good, and until when that is believed
        self.reads: Reads[Question, list[Found]] = Reads(self._look)

    def _look(self, questions: Sequence[Question]) -> list[list[Found]]:
        """What is known of everybody asked about, with a few statements for all of them; once more when PostgreSQL came back meanwhile."""
        try:
            return self._look_once(questions)
        except psycopg.OperationalError:
            return self._look_once(questions)

    def _look_once(self, questions: Sequence[Question]) -> list[list[Found]]:
        now = self._ws.clock()
        with self._ws.reading() as conn:
            refused = self._refused(conn, {question.token for question in questions if question.token})
            people, identities = _whose(conn, [one for question in questions if question.token not in refused for one in question.wanted])
            known = KnownPeople(conn, identities, now.replace(second=0, microsecond=0))  # so that an answer stays the same while nothing happens
            asked_for = {name for question in questions for name in question.about.include}
            segments = segment.segments_of(conn, identities) if "segments" in asked_for else {}
            answers: list[list[Found]] = []
            for question in questions:
                if question.token in refused:
                    answers.append([WrongKey(where="Authorization", seen=f"{question.token[:6]}…")])
                    continue
                found = [(one, people[one.type, one.value]) for one in question.wanted]
                answers.append([_answer(conn, question.about, one, person, Looked(known, segments, identities, now)) for one, person in found])
        return answers

    def _refused(self, conn: Connection, tokens: set[str]) -> set[str]:
        """Which of these are no secret keys of sources that are on."""
        now = time.monotonic()
        for token in tokens:
            if self._keys.get(token, 0.0) < now:
                source = collect.secret_holder(conn, token)
                if source is None or not source.enabled:
                    self._keys.pop(token, None)
                else:
                    self._keys[token] = now + KEY_SECONDS
        return {token for token in tokens if token not in self._keys}


async def read(request: Request, body: ReadProfile) -> Response:
    """What is known of the person who holds exactly this identifier: plain values, or with `verbose` each with where it is from.

    `If-None-Match` with the `ETag` of an answer gets 304 while nothing changed. Raises NotFound.
    """
    found = (await _profiles(request).reads.ask(Question(await _token(request), (body.identifier,), body)))[0]
    if isinstance(found, CeglaError):
        raise found
    if "timeline" in body.include:
        found["timeline"] = await run_in_threadpool(_timeline, request.app.state.ws, found["person"], body.before, body.limit)
    return _sent(request, found)


async def read_many(request: Request, body: ReadProfiles) -> Response:
    """The same for up to 100 identifiers, in their order; who is not found is told in place."""
    found = await _profiles(request).reads.ask(Question(await _token(request), tuple(body.identifiers), body))
    if isinstance(found[0], WrongKey):
        raise found[0]
    return _sent(request, {"profiles": [_told(one) for one in found]})


def _told(found: Found) -> dict[str, Any]:
    return {"error": {"code": found.code, "message": found.say("en"), "seen": found.seen}} if isinstance(found, CeglaError) else found


def _profiles(request: Request) -> Profiles:
    return request.app.state.profiles


async def _token(request: Request) -> str:
    """The secret key to be checked with the question; "" when who calls is known to be allowed. Raises WrongKey, NotPermitted."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        call: Call = await run_in_threadpool(opened, request)
        if not call.may(PERMISSION):
            raise NotPermitted(where="Authorization", seen=call.caller.name, permission=PERMISSION)
        return ""
    token = token.strip()
    if hmac.compare_digest(token.encode(), cast(str, request.app.state.token).encode()):
        return ""
    return token


def _sent(request: Request, content: Any) -> Response:
    body = msgspec.json.encode(content, enc_hook=plain)
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if known & {tag, "*"}:  # "*" is any version (RFC 9110, 13.1.2)
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _whose(conn: Connection, wanted: Sequence[IdentifierBody]) -> tuple[dict[tuple[str, str], int | None], dict[int, list[int]]]:
    """Whose each identifier is, and all identities of each of these people: person → identities.

    Each statement sees its own moment. Who was joined to another between the two has none left, and is looked for again.
    """
    people, identities = dict[tuple[str, str], int | None](), dict[int, list[int]]()
    for _ in range(LOOKS):
        people = _people(conn, wanted)
        identities = resolve.links.identities_by_person(conn, list({person for person in people.values() if person is not None}))
        if all(identities.values()):
            return people, identities
    return {place: person if person is not None and identities[person] else None for place, person in people.items()}, identities


def _people(conn: Connection, wanted: Sequence[IdentifierBody]) -> dict[tuple[str, str], int | None]:
    """Whose each identifier is today; None for one that is unknown, or is none."""
    rules = current_rules(conn)
    named = {(one.type, one.value): _identifier(one, rules) for one in wanted}
    asked = list({identifier for identifier in named.values() if isinstance(identifier, Identifier)})
    people = dict(zip(asked, resolve.look_up(conn, asked), strict=True))
    numbers = [number for number in named.values() if isinstance(number, int)]
    owners = resolve.reach.owners(conn, numbers) if numbers else {}
    return {place: owners.get(one) if isinstance(one, int) else people.get(one) if one is not None else None for place, one in named.items()}


def _identifier(one: IdentifierBody, rules: Any) -> Identifier | int | None:
    """What to look up, of any type there may be: those of the rules, and those that senders bring along as external ids."""
    if one.type == "person":
        return parse_person_label(one.value)
    kind = one.type.strip().lower()
    value = normalized(kind, one.value, rules)
    return None if value is None or UNSTORABLE in kind else Identifier(kind, value)




def _answer(conn: Connection, about: ReadProfile | ReadProfiles, wanted: IdentifierBody, person: int | None, looked: Looked) -> Found:
    if person is None:
        shown = masked(wanted.value, wanted.type)
        return NotFound(where="/identifier", seen=shown, thing=shown)
    answer: dict[str, Any] = {"person": person_label(person)}
    for name in about.include:
        if name in PARTS:
            answer[name] = PARTS[name](conn, about, person, looked)
    if "segments" in about.include:
        answer["segments"] = [{"id": one.segment_id, "name": one.name, "since": one.entered_at} for one in looked.segments.get(person, [])]
    return answer


def _traits(conn: Connection, about: ReadProfile | ReadProfiles, person: int, looked: Looked) -> Any:
    known = looked.known
    only = frozenset(about.traits) if about.traits is not None else None
    if not about.verbose:
        values = known.values(person)
        return values if only is None else {key: value for key, value in values.items() if key in only}
    return {trait.key: _verbose(trait, origin) for trait, origin in known.traits(person) if only is None or trait.key in only}


def _scores(conn: Connection, about: ReadProfile | ReadProfiles, person: int, looked: Looked) -> Any:
    found = {trait.key: (trait, origin) for trait, origin in looked.known.traits(person) if trait.key in profile.SCORES}
    return {key: _verbose(*one) if about.verbose else round(one[0].value, 1) for key, one in found.items()}


def _consents(conn: Connection, about: ReadProfile | ReadProfiles, person: int, looked: Looked) -> Any:
    """The decision in force for each purpose and channel: of several identities the most restrictive one, as the gate goes by."""
    rows = govern.binding_decisions(conn, looked.identities[person], looked.now)
    return [{"purpose": one.purpose, "channel": one.channel.value, "state": one.state.value, "at": one.at, "method": one.method} for one in rows]


def _identifiers(conn: Connection, about: ReadProfile | ReadProfiles, person: int, looked: Looked) -> Any:
    """The identity graph: every identifier, masked, and the link by which it came to this person."""
    known = resolve.identifiers_of(conn, [person]).get(person, [])
    return [
        {
            "identity": one.identity_id, "type": one.type, "value": masked(one.value, one.type), "shared": one.held, "first_seen_at": one.first_seen_at,
            "source_id": one.source_id, "linked_by": one.linked_by, "linked_at": one.linked_at, "message_id": one.message_id,
        }
        for one in known
    ]  # fmt: skip


PARTS: dict[str, Callable[[Connection, ReadProfile | ReadProfiles, int, Looked], Any]] = {
    "traits": _traits, SCORES: _scores, "consents": _consents, "identifiers": _identifiers,
}  # fmt: skip


def _verbose(trait: Trait, origin: profile.declared.Origin) -> dict[str, Any]:
    said: dict[str, Any] = {
        "value": round(trait.value, 1) if trait.key in profile.SCORES else trait.value, "source": origin.source, "updated_at": origin.at,
        "confidence": trait.confidence, "evidence": trait.n_evidence, "method": trait.method, "purpose": trait.purpose,
    }  # fmt: skip
    rest = {
        "source_id": origin.source_id, "message_id": origin.message_id, "import_id": origin.import_id, "event_id": origin.event_id, "basis": origin.basis,
        "corrected_by": origin.by,
    }  # fmt: skip
    return said | {name: value for name, value in rest.items() if value is not None}


def _timeline(ws: Workspace, label: str, before: str, limit: int) -> dict[str, Any]:
    """A page of what the person did, newest first; `next_before` leads to the next one."""
    events = profile.past.timeline(ws.warehouse, parse_person_label(label) or 0, timeline_place(before), limit)
    last = events[-1] if len(events) == limit else None
    return {"events": [plain(one) for one in events], "next_before": last and f"{plain(last.occurred_at)}_{last.event_id}"}
