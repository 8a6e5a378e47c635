"""Whose clock and whose law hold for people: time zone, country, whether they act for a company, and whether they objected to being profiled. A few
statements for all of them.

The clock may be a guess: an analyser's word stands where nobody declared a zone. The law may not: country and company are taken from
what was declared alone, so that no guess ever weakens a rule.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cegla.govern import actions as govern
from cegla.profile import store
from cegla.profile.rules.countries import country_code
from cegla.resolve import actions as resolve
from cegla.storage.arrays import numbers
from cegla.storage.workspace import Connection

KEYS = ("timezone", "country", "customer_type", "company_type")
COMPANIES = frozenset({"b2b", "business", "company", "firma", "przedsiębiorca", "przedsiebiorca", "organization", "organisation"})


class Place(NamedTuple):
    """What is known of a person's whereabouts; None: not known."""

    zone: ZoneInfo | None = None
    country: str | None = None
    company: bool = False


NOWHERE = Place()


def places_of(conn: Connection, people: Mapping[int, Sequence[int]]) -> dict[int, Place]:
    """The place of each person (→ identities) of whom anything is known; the others are left out."""
    owners = {identity: person for person, identities in people.items() for identity in identities}
    said: dict[int, dict[str, str]] = {}
    for identity, key, value in store.SQL.find_declared_of_keys(conn, ids=numbers(owners), keys=list(KEYS)):
        if isinstance(value, str):
            said.setdefault(owners[identity], {})[key] = value
    guessed: dict[int, str] = dict(store.SQL.find_zones(conn, people=numbers(people)))
    return {person: _place(said.get(person, {}), guessed.get(person)) for person in {*said, *guessed}}


def subjects(conn: Connection, reached: Sequence[resolve.reach.Reach]) -> list[govern.Subject]:
    """People as the gate is asked about them, in their order: at their newest address, under the law they declared to be under."""
    places = places_of(conn, {one.person_id: one.identity_ids for one in reached})
    laws = [places.get(one.person_id, NOWHERE) for one in reached]
    return [govern.Subject(one.person_id, one.identity_ids, one.value, law.country, law.company) for one, law in zip(reached, laws, strict=True)]


def objecting(conn: Connection) -> set[int]:
    """People who objected to profiling under any of their names."""
    return set(resolve.reach.owners(conn, govern.objectors(conn)).values())


def _place(said: Mapping[str, str], guessed: str | None) -> Place:
    zone = _zone(said.get("timezone")) or _zone(guessed)
    country = country_code(said["country"]) if said.get("country") else None
    company = any(said.get(key, "").strip().lower() in COMPANIES for key in ("customer_type", "company_type"))
    return Place(zone, country, company)


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):
        return None
