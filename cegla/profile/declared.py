"""Declared traits: what senders, files and people themselves say. Which word holds: a correction, then the source's rank, then the newer event.

Every source's newest word is kept, so that another ranking, an undone import or a split person gives what it would have given from the
beginning. Nothing depends on the order of arrival.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from cegla.collect import actions as collect
from cegla.profile import store
from cegla.profile.rules.enrichment import Declared
from cegla.resolve import actions as resolve
from cegla.storage.identifier_rules import current_rules
from cegla.storage.workspace import Connection
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.identifier_rules import DEFAULT_RULES
from cegla.vocabulary.identifiers import Identifier, normalized
from cegla.vocabulary.text import Text

LONGEST_KEY = 100
TOO_LONG = Text(f"nazwa cechy ma od 1 do {LONGEST_KEY} znaków", f"the name of a trait has 1 to {LONGEST_KEY} characters")
TWICE = Text("każde źródło może być tylko raz", "each source can be there only once")


@dataclass(frozen=True)
class Origin:
    """Where a trait is from. `source` is "built_in", "analyser", "definition", a source's name, or "correction".

    `event_id` is the event of the history that decided a computed value, `message_id` the sender's own id of the event that declared it
    (of a file import, `import_id`, it names the row); `basis` is the lawful basis of that import or source, `by` who wrote a correction down.
    """

    source: str
    method: str
    at: datetime
    source_id: int | None = None
    message_id: str | None = None
    import_id: int | None = None
    event_id: int | None = None
    basis: str | None = None
    by: str | None = None


@dataclass(frozen=True)
class DeclaredRow:
    """The word that holds about one trait."""

    value: Any
    source_id: int
    at: datetime
    message_id: str
    import_id: int
    by: str | None

    @property
    def method(self) -> str:
        """How it came here."""
        return "correction@1" if self.by is not None else "import@1" if self.import_id else "declared@1"

    def origin(self, sources: Mapping[int, collect.Source], imported: Mapping[int, str]) -> Origin:
        """Where it is from; `sources` by number, and the lawful basis of each import by its number."""
        source = sources.get(self.source_id)
        name = "correction" if self.by is not None else source.name if source else str(self.source_id)
        basis = None if self.by is not None else imported.get(self.import_id) or (source.basis.value if source else None)
        return Origin(name, self.method, self.at, self.source_id or None, self.message_id or None, self.import_id or None, None, basis, self.by)


def keep(conn: Connection, said: Sequence[Declared]) -> None:
    """Keep declared traits, the newest of each source; what imports declare lies beside the rest. Which one holds is decided when they are read;
    null takes a trait back."""
    store.keep_declared(conn, said)


def forget_import(conn: Connection, import_id: int) -> None:
    """Forget what an import declared, as if it never had."""
    store.SQL.drop_declared_of_import(conn, import_id=import_id)


def holding(conn: Connection, people: Mapping[int, Sequence[int]]) -> dict[int, dict[str, DeclaredRow]]:
    """For each person, given with all identities, the word that holds about each declared trait, by name; one that was taken back is gone.

    So is an address that was released and is somebody else's now, unless the person had it written down since.
    """
    owners = {identity: person for person, identities in people.items() for identity in identities}
    given_up = {(owners[identity], address) for identity, address in resolve.releasing.given_up(conn, list(owners))}
    rules = current_rules(conn) if given_up else DEFAULT_RULES
    last: dict[int, dict[str, DeclaredRow]] = {person: {} for person in people}
    for identity, key, *columns in store.SQL.find_declared(conn, ids=list(owners)):
        row, person = DeclaredRow(*columns), owners[identity]
        if not given_up or row.by is not None or (person, Identifier(key, normalized(key, row.value, rules) or "")) not in given_up:
            last[person][key] = row
    return {person: {key: row for key, row in sorted(said.items()) if row.value is not None} for person, said in last.items()}


def by_person(conn: Connection, key: str, people: Sequence[int] | None) -> dict[int, Any]:
    """The word that holds about one trait, by person: of `people`, or of everybody (None) of whom anything was ever said. Taken back: None.

    An address that was released is left out, as in `holding`.
    """
    if people is None:
        owners: dict[int, int] = dict(resolve.reach.identity_map(conn))
    else:
        owners = {one.identity_id: person for person, rows in resolve.identifiers_of(conn, people).items() for one in rows}
        owners |= {one: one for one in people}
    ids = None if people is None else list(owners)
    said: list[tuple[int, Any, bool]] = list(store.SQL.find_declared_of_key(conn, key=key, ids=ids))
    given_up = {(owners.get(one, one), address.value) for one, address in resolve.releasing.given_up(conn, ids) if address.type == key}
    rules = current_rules(conn) if given_up else DEFAULT_RULES
    return {
        person: value
        for identity, value, corrected in said
        if (person := owners.get(identity, identity)) and (not given_up or corrected or (person, normalized(key, value, rules)) not in given_up)
    }


def known_of(conn: Connection, person_id: int, identity_ids: Sequence[int]) -> list[tuple[str, DeclaredRow, Origin]]:
    """The declared traits of one person by name, each with where it is from."""
    sources = {one.id: one for one in collect.sources(conn)}
    said = holding(conn, {person_id: identity_ids})[person_id]
    imported = bases_of_imports(conn, said.values())
    return [(key, row, row.origin(sources, imported)) for key, row in said.items()]


def bases_of_imports(conn: Connection, rows: Iterable[DeclaredRow]) -> dict[int, str]:
    """On which basis the people of the imports behind these words were acquired, where the mapping said it."""
    numbers = {row.import_id for row in rows if row.import_id}
    return {number: basis for number in numbers if (basis := (collect.import_of(conn, number).acquired or {}).get("basis"))}


def ranking(conn: Connection) -> list[int]:
    """The numbers of the sources that are ranked, the most credible first; all others count less, and among themselves alike."""
    return [source_id for source_id, _ in store.SQL.find_ranks(conn)]


def rank(conn: Connection, source_ids: Sequence[int], actor: str, now: datetime) -> None:
    """Say whose word counts more: these sources, the most credible first. Holds for everything that was ever declared. Raises NotFound, InvalidInput."""
    known = {one.id for one in collect.sources(conn)}
    for source_id in source_ids:
        if source_id not in known:
            raise NotFound(where="/sources", seen=source_id, thing=Text(f"źródło {source_id}", f"source {source_id}"))
    if len(set(source_ids)) != len(source_ids):
        raise InvalidInput(where="/sources", seen=list(source_ids), detail=TWICE)
    store.SQL.drop_ranks(conn)
    for place, source_id in enumerate(source_ids):
        store.SQL.add_rank(conn, source_id=source_id, rank=len(source_ids) - place, now=now, actor=actor)


def correct(conn: Connection, identity_id: int, key: str, value: Any, actor: str, now: datetime) -> None:
    """Write down what a person had corrected: it holds over every source. None: the trait is not true of them; "" is a value. Raises InvalidInput."""
    if not key.strip() or len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidInput(where="/trait", seen=key, detail=TOO_LONG)
    kept = None if value is None else Jsonb(value)
    store.SQL.correct(conn, identity_id=identity_id, key=key.strip(), value=kept, now=now, actor=actor)


def take_correction_back(conn: Connection, identity_ids: Sequence[int], key: str) -> bool:
    """Let the sources speak again about one trait of a person; False when there was no correction."""
    return store.SQL.drop_correction(conn, ids=list(identity_ids), key=key) > 0
