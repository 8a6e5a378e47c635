"""The hard cases of identity through the whole of intake: as they came, said again, and in another order. All three agree.

One database holds all of them: each case has names of its own in each run. "said again" is a replay under new message ids,
backwards, in one batch. What only `resolve` can be asked is in tests/resolve/test_cases.py.
"""

import json
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from cegla import regrouping, releasing
from cegla.app import HOLDERS
from cegla.collect import actions as collect
from cegla.collect.rules.mapping import read_mapping
from cegla.collect.store import Incoming, append
from cegla.defining import define_traits
from cegla.flow import Intake
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.postgres import EmbeddedPostgres
from cegla.storage.settings import Settings
from cegla.storage.warehouse import history, table
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.errors.people import NamesEvents
from cegla.vocabulary.identifiers import Identifier

pytestmark = pytest.mark.whole

NOON = datetime(2026, 10, 5, 10, tzinfo=UTC)
WEEK = 7 * 24 * 60
RULES = {"most_merges": 4, "most_identifiers": 40, "types": {"card": {"priority": 5, "limit": 2, "window": "weekly"}}}
KINDS = {"u": "user_id", "b": "anonymous_id", "e": "email", "c": "card"}
BLOCKED = ("null", '"null"', "undefined", "0", "0000-0000", "-1", "NaN", "[object Object]", "'None'", "  ", "\u200b", "ｎｕｌｌ", "x" * 501)
ONCE = count(1)


class Said(NamedTuple):
    """One call: minutes after noon a month ago, who by short names ("u:A", "b:1", "e:a"), the rest of it, whether by a public key."""

    minute: float
    who: str
    call: dict[str, Any]
    public: bool = False


def does(minute: float, who: str, event: str = "Seen", public: bool = False, **more: Any) -> Said:
    return Said(minute, who, {"type": "track", "event": event, **more}, public)


def tells(minute: float, who: str, public: bool = False, context: dict[str, Any] | None = None, **traits: Any) -> Said:
    return Said(minute, who, {"type": "identify", "traits": traits, "context": context or {}}, public)


def is_also(minute: float, who: str, previous: str, public: bool = False) -> Said:
    return Said(minute, who, {"type": "alias", "previous": previous}, public)


@dataclass(frozen=True, eq=False)
class Case:
    """`people` are those who must come out, by their short names; `owners` says whose an event is, by the event's name."""

    number: int
    name: str
    batches: Sequence[Sequence[Said]]
    people: Sequence[str]
    owners: dict[str, str] = field(default_factory=dict)
    warned: Sequence[str] = ()

    def __str__(self) -> str:
        return f"{self.number}: {self.name}"


def consents(**answers: bool) -> dict[str, Any]:
    return {"consent": {"categoryPreferences": answers}}


CASES = (
    Case(1, "the anonymous history follows", [[does(0, "b:1", "a"), does(1, "b:1", "b")], [tells(2, "u:A b:1")]], ["u:A b:1"], {"a": "u:A", "b": "u:A"}),
    Case(2, "a second user without a reset", [[does(0, "b:1", "a"), does(1, "u:A b:1")], [does(2, "b:1", "b"), does(3, "u:B b:1")], [does(4, "b:1", "c")]],
         ["u:A b:1", "u:B"], {"a": "u:A", "b": "u:A", "c": "u:B"}, ["unique"]),
    Case(3, "a kiosk", [[does(n, f"u:{n} b:k", public=True) for n in range(120)]], [f"u:{n}" + " b:k" * (n == 0) for n in range(120)], {}, ["unique"]),
    Case(4, "a reset, then signing in again", [[does(0, "u:A b:old"), does(1, "u:B b:other")], [does(2, "b:new", "a")], [does(3, "u:A b:new")]],
         ["u:A b:old b:new", "u:B b:other"], {"a": "u:A"}),
    Case(5, "identify as another, old browser", [[tells(0, "u:1 b:old")], [tells(1, "u:9 b:old")]], ["u:1 b:old", "u:9"]),
    Case(5, "identify as another, new browser", [[tells(0, "u:1 b:old")], [tells(1, "u:9 b:new")]], ["u:1 b:old", "u:9 b:new"]),
    Case(6, "links reach through", [[does(0, "u:A b:1")], [tells(2, "b:2", email="e:x")], [does(1, "u:A b:2")]], ["u:A b:1 b:2 e:x"]),
    Case(7, "late and twice", [[does(5, "u:B b:1"), does(5, "u:B b:1")], [does(1, "u:A b:1"), does(9, "b:1", "a")], [does(5, "u:B b:1")]],
         ["u:A b:1", "u:B"], {"a": "u:B"}),
    Case(8, "over the limit", [[tells(n, "u:A", email=f"e:{n}") for n in range(5)], [tells(9, "u:A b:9", email="e:9")]],
         ["u:A b:9 " + " ".join(f"e:{n}" for n in range(5)), "e:9"], {}, ["limit"]),
    Case(8, "two of equal rank at the limit", [[tells(n, "u:A", email=f"e:{n}") for n in range(4)], [does(9, "u:A", cards=("email", "e:z", "email", "e:a"))]],
         ["u:A e:a " + " ".join(f"e:{n}" for n in range(4)), "e:z"], {}, ["limit"]),
    *(Case(9, f"two a week, the third {said} the first", [[does(0, "u:A", cards=("card", "c:1")), does(1, "u:A", cards=("card", "c:2"))], [does(WEEK + past, "u:A", cards=("card", "c:3"))]],
           ["u:A c:1 c:2 c:3"] if joins else ["u:A c:1 c:2", "c:3"])
      for said, past, joins in (("a second before a week after", -1 / 60, False), ("a week after", 0, True), ("a second more after", 1 / 60, True))),
    Case(10, "too many identifiers", [[does(n, f"u:A b:{n}", f"s{n}") for n in range(60)]], ["u:A"], {f"s{n}": "u:A" for n in (0, 45, 59)}, ["cap"]),
    Case(11, "placeholders", [[does(0, "u:A", "a"), *(Said(n, "u:A", {"type": "track", "event": "p", "anonymousId": value}) for n, value in enumerate(BLOCKED))]],
         ["u:A"], {"a": "u:A"}, ["too_long"]),
    Case(13, "a new address", [[tells(0, "u:A", email="e:old")], [tells(9, "u:A", email="e:new")]], ["u:A e:old e:new"]),
    Case(13, "an address that somebody else has now", [[tells(0, "u:A", email="e:x"), tells(1, "u:A", email="e:new")], [tells(9, "u:B b:2", email="e:x")]],
         ["u:A e:x e:new", "u:B b:2"], {}, ["unique"]),
    Case(14, "a family's address", [[tells(0, "u:mum", email="e:home"), tells(1, "u:dad", email="e:home")], [does(2, "u:dad b:1")]], ["u:mum e:home", "u:dad b:1"]),
    Case(15, "an alias to oneself", [[is_also(0, "u:A", "u:A")]], ["u:A"]),
    Case(15, "aliases in a circle", [[does(0, "u:A"), does(0, "u:B"), does(0, "u:C")], [is_also(1, "u:A", "u:B"), is_also(2, "u:B", "u:C"), is_also(3, "u:C", "u:A")]], ["u:A u:B u:C"]),
    Case(15, "an alias of an unknown id", [[is_also(1, "u:A", "u:old")], [does(0, "u:old b:1")]], ["u:A u:old b:1"]),
    Case(15, "an alias of two known by a public key", [[does(0, "u:A"), does(0, "u:B")], [is_also(1, "u:A", "u:B", public=True)]], ["u:A", "u:B"], {}, ["public_key"]),
    Case(16, "the server knows first", [[does(0, "u:A", "a"), does(1, "b:1", "b")], [tells(2, "u:A b:1", public=True)]], ["u:A b:1"], {"a": "u:A", "b": "u:A"}),
    Case(17, "each an alias of the other", [[does(0, "u:A b:1"), does(0, "u:B b:2")], [is_also(1, "u:A", "u:B"), is_also(1, "u:B", "u:A")]], ["u:A u:B b:1 b:2"]),
    Case(24, "an account of two", [[Said(n, f"u:{n}", {"type": "group", "groupId": "acme", "traits": {"email": "office@acme.pl"}}) for n in range(2)]], ["u:0", "u:1"]),
    Case(25, "an id of 501 characters", [[Said(0, "u:A", {"type": "track", "event": "a", "anonymousId": "y" * 501})]], ["u:A"], {"a": "u:A"}, ["too_long"]),
    Case(27, "a cookie that outlives a reset", [[does(0, "u:A b:1", cards=("ga_client_id", "g:1"))], [does(1, "b:2", cards=("ga_client_id", "g:1")), does(2, "u:B b:2", cards=("ga_client_id", "g:1"))]],
         ["u:A", "u:B"]),
    Case(28, "a flood of made-up browsers", [[does(0, "u:A b:1")], [does(n, f"b:bot{n}", public=True) for n in range(300)], [does(400, "u:A", "a")]],
         ["u:A b:1", *(f"b:bot{n}" for n in range(0, 300, 60))], {"a": "u:A"}),
    Case(29, "one message id in two sources", [[does(0, "u:A b:1", messageId="same"), does(0, "u:A b:2", messageId="same", public=True)]], ["u:A b:1 b:2"]),
)  # fmt: skip
RUNS = ("as it came", "said again", "backwards")


class World:
    """All cases in one workspace."""

    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        with ws.transaction() as conn:
            self.secret = collect.add_source(conn, "server", "server", Basis.CONTRACT, NOON)[0].id
            self.public = collect.add_source(conn, "site", "website", Basis.CONTRACT, NOON)[0].id

    def take_in(self, *batches: Sequence[tuple[dict[str, Any], bool]]) -> None:
        """Each batch of (call, public) as one of intake's."""
        for batch in batches:
            with self.ws.transaction() as conn:
                for source, public in ((self.secret, False), (self.public, True)):
                    calls = [call for call, of in batch if of is public]
                    if calls:
                        written = Incoming(source, NOON, len(calls), not public, None, json.dumps({"batch": calls}).encode())
                        append(conn, source, [written])
            Intake(self.ws).drain()

    def each_way(self, *batches: Sequence[tuple[dict[str, Any], bool]]) -> Generator[str]:
        """Twice: after these batches, and after the same calls once more under new message ids, backwards, in one batch."""
        self.take_in(*batches)
        yield RUNS[0]
        self.take_in([(one | {"messageId": f"m{next(ONCE)}"}, public) for batch in reversed(batches) for one, public in reversed(batch)])
        yield RUNS[1]

    def people(self, names: Sequence[Identifier]) -> list[int | None]:
        with self.ws.transaction() as conn:
            return resolve.look_up(conn, names)

    def ids(self, person: int) -> list[int]:
        with self.ws.transaction() as conn:
            return [one.identity_id for one in resolve.identifiers_of(conn, [person]).get(person, [])]


def space(case: Case, run: str) -> str:
    return f"{CASES.index(case)}{'y' if run == 'backwards' else 'x'}"


def named(short: str, within: str) -> Identifier:
    kind, _, value = short.partition(":")
    return Identifier(KINDS.get(kind, "ga_client_id"), f"{within}{value}@x.pl" if kind == "e" else f"{within}-{value}")


def spoken(said: Said, within: str, message: str) -> tuple[dict[str, Any], bool]:
    """The call as it is sent: names made long, so that cases and runs do not meet."""
    at = NOON - timedelta(days=30) + timedelta(minutes=said.minute)
    call = {"messageId": message, **said.call, "timestamp": at.isoformat()}
    if call["messageId"] == "same":
        call["messageId"] = f"{within}-same"
    if "event" in call:
        call["event"] = f"{within}-{call['event']}"
    if "groupId" in call:
        call["groupId"] = f"{within}-{call['groupId']}"
    if email := call.get("traits", {}).get("email"):
        call["traits"] = call["traits"] | {"email": named(email, within).value if email.startswith("e:") else email}
    if cards := call.pop("cards", None):
        pairs = zip(cards[::2], cards[1::2], strict=True)
        call["context"] = {"externalIds": [{"type": kind, "id": named(value, within).value, "collection": "users", "encoding": "none"} for kind, value in pairs]}
    if previous := call.pop("previous", None):
        call["previousId"] = named(previous, within).value
    fields = {"u": "userId", "b": "anonymousId"}
    return {fields[short[0]]: named(short, within).value for short in said.who.split()} | call, said.public


@pytest.fixture(scope="module")
def world(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Generator[World]:
    """Every case three times: batch after batch, then once more under new message ids backwards, and backwards under names of its own."""
    keeper = server.dsn.replace("dbname=cegla", "dbname=postgres")
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute("create database identity_cases template cegla strategy file_copy")
    ws = Workspace(Settings.model_validate({"data_dir": tmp_path_factory.mktemp("cases")}), server.dsn.replace("dbname=cegla", "dbname=identity_cases"), pool_size=4)
    ws.clock = lambda: NOON
    made = World(ws)
    regrouping.apply_rules(ws, RULES, "ola")
    for place in range(max(len(case.batches) for case in CASES)):
        rows = [(case, said) for case in CASES for said in case.batches[place : place + 1] for said in said]
        made.take_in([spoken(said, space(case, "as it came"), f"m{next(ONCE)}") for case, said in rows])
    yield made
    ws.close()
    with psycopg.connect(keeper, autocommit=True) as conn:
        conn.execute("drop database identity_cases with (force)")


@pytest.fixture(scope="module")
def after(world: World) -> dict[str, dict[Case, Any]]:
    """What came out of each run, by case."""
    found = {"as it came": {case: outcome(world, case, space(case, "as it came")) for case in CASES}}
    for run in RUNS[1:]:
        everything = [(case, said) for case in CASES for batch in case.batches for said in batch]
        world.take_in([spoken(said, space(case, run), f"m{next(ONCE)}") for case, said in reversed(everything)])
        found[run] = {case: outcome(world, case, space(case, run)) for case in CASES}
    return found


def outcome(world: World, case: Case, within: str) -> tuple[set[frozenset[str]], dict[str, set[int | None]], dict[str, int | None]]:
    """People by short names; whose each event is; who the owners named by the case are."""
    shorts = sorted({short for one in case.people for short in one.split()})
    found = dict(zip(shorts, world.people([named(short, within) for short in shorts]), strict=True))
    together = {frozenset(short if person else f"{short} is missing" for short in shorts if found[short] == person) for person in found.values()}
    events: dict[str, set[int | None]] = {}
    if case.owners:
        rows: Any = history()
        asked = rows.filter(rows.name.isin([f"{within}-{name}" for name in case.owners])).select("name", "person_id").distinct()
        for row in world.ws.warehouse.run(asked).to_pylist():
            events.setdefault(row["name"].removeprefix(f"{within}-"), set()).add(row["person_id"])
    return together, events, {name: found[owner] for name, owner in case.owners.items()}


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_case_ends_with_the_people_it_should(case: Case, run: str, after: dict[str, dict[Case, Any]]) -> None:
    together, events, owners = after[run][case]
    assert together == {frozenset(people.split()) for people in case.people}
    assert events == {name: {owner} for name, owner in owners.items()}


@pytest.mark.parametrize("case", [case for case in CASES if case.warned], ids=str)
def test_what_was_refused_or_left_out_can_be_seen_with_its_reason(case: Case, world: World, after: dict[str, dict[Case, Any]]) -> None:
    """At the links of the case's own people; what is too long is no link and is counted alone."""
    assert after
    own = {named(short, space(case, "as it came")) for one in case.people for short in one.split()}
    with world.ws.transaction() as conn:
        refused = resolve.links.refused_links(conn, 10_000)
        counted = {warning.reason for warning in resolve.links.warnings(conn)}
    of_case = [edge for edge in refused if not own.isdisjoint((edge.strong, edge.weak))]
    assert set(case.warned) <= {edge.refused for edge in of_case} | (counted & {"too_long"})
    assert all(edge.why_refused for edge in of_case)


def test_one_form_of_each_identifier_counts_at_intake_look_up_and_suppression(world: World) -> None:
    """12: numbers and text, composed and decomposed letters, blanks, capitals of an address."""
    at = {"timestamp": NOON.isoformat()}
    forms: list[dict[str, Any]] = [
        {"type": "identify", "userId": 12001, "traits": {"email": " Case12+shop@Example.PL "}, **at}, {"type": "track", "event": "x", "userId": "12001 ", **at},
        {"type": "track", "event": "x", "userId": "Zoe\u0308-12", **at}, {"type": "track", "event": "x", "userId": "Zo\u00eb-12", **at},
    ]  # fmt: skip
    wanted = [Identifier("user_id", "12001"), Identifier("email", "case12+shop@example.pl"), Identifier("user_id", "Zo\u00eb-12"), Identifier("user_id", "zo\u00eb-12")]
    for run in world.each_way([(form | {"messageId": f"m{next(ONCE)}"}, False) for form in forms]):
        number, address, zoe, other = world.people(wanted)
        assert number == address != zoe, run
        assert (zoe is not None, other) == (True, None), run
    with world.ws.transaction() as conn:
        govern.suppress(conn, world.ws.keys, "CASE12+Shop@example.pl", Channel.EMAIL, "complaint", NOON)
        subject = govern.Subject(number or 0, world_ids(conn, number or 0), "case12+shop@EXAMPLE.pl ")
        assert not govern.allowed(conn, world.ws.keys, [subject], "marketing", Channel.EMAIL, NOON)[0].allowed


def test_a_file_names_people_as_events_do(world: World, tmp_path: Path) -> None:
    """12, at import: the same forms as above, in the columns of a spreadsheet."""
    world.take_in([call(0, "identify", "12002", traits={"email": "case12b@example.pl"}), call(0, "track", "Zo\u00eb-12b", event="x")])
    file = tmp_path / "people.csv"
    file.write_text("id,email,city,day\n 12002 , Case12B@Example.PL ,Hel,2026-10-01\nZoe\u0308-12b,,Sopot,2026-10-01\n", encoding="utf-8")
    mapping = {
        "name": "c12", "source": "CRM", "basis": "contract", "event": "identify", "columns": {"day": "date"}, "time": "{day}",
        "acquired": {"from": "CRM", "date": "2026-10-01"}, "ids": {"user_id": "{id}"}, "traits": {"email": "{email}", "city": "{city}"},
    }  # fmt: skip
    assert collect.import_file(world.ws, file, read_mapping(mapping, "test")).rows_used == 2
    Intake(world.ws).drain()
    assert [said_of(world, user, "city")["city"] for user in ("12002", "Zo\u00eb-12b")] == ["Hel", "Sopot"]


def world_ids(conn: Any, person: int) -> list[int]:
    return [one.identity_id for one in resolve.identifiers_of(conn, [person])[person]]


def may(world: World, user: str) -> list[bool]:
    """Whether a user may get marketing by e-mail, and by text message."""
    [person] = world.people([Identifier("user_id", user)])
    with world.ws.transaction() as conn:
        subject = govern.Subject(person or 0, world_ids(conn, person or 0))
        return [govern.allowed(conn, world.ws.keys, [subject], "marketing", channel, NOON)[0].allowed for channel in (Channel.EMAIL, Channel.SMS)]


def call(minute: float, kind: str, user: str, **fields: Any) -> tuple[dict[str, Any], bool]:
    at = NOON - timedelta(days=10) + timedelta(minutes=minute)
    return {"type": kind, "messageId": f"m{next(ONCE)}", "userId": user, "timestamp": at.isoformat(), **fields}, False


def test_past_the_cap_of_merges_events_go_on_and_no_more_people_join(world: World) -> None:
    """10: five people of two identifiers each would join a sixth; four may."""
    world.take_in([call(n, "track", f"c10-{n}", event="s", anonymousId=f"c10-b{n}") for n in range(6)])
    world.take_in([call(10 + n, "alias", "c10-0", previousId=f"c10-{n}") for n in range(1, 6)])
    found = world.people([Identifier("user_id", f"c10-{n}") for n in range(6)])
    assert (found[:5], found[5] == found[0]) == ([found[0]] * 5, False)
    world.take_in([call(20, "track", "c10-0", event="c10-after")])
    rows: Any = history()
    assert world.ws.warehouse.run(rows.filter(rows.name == "c10-after").select("person_id")).to_pylist() == [{"person_id": found[0]}]
    with world.ws.transaction() as conn:
        assert "cap" in {warning.reason for warning in resolve.links.warnings(conn)}


def test_a_released_address_is_somebody_elses_from_that_day_and_what_was_before_stays(world: World) -> None:
    """13: the history of the address itself cannot be given away, and undoing the release leaves no trace."""
    address, week = Identifier("email", "c13@x.pl"), 7 * 24 * 60
    world.take_in([call(0, "identify", "c13-old", traits={"email": "c13@x.pl"}), call(1, "track", "c13-old", event="c13-before")])
    world.take_in([call(week, "identify", "c13-new", traits={"email": "c13@x.pl"}), call(week, "track", "c13-new", event="c13-after")])
    old, new, holder = world.people([Identifier("user_id", "c13-old"), Identifier("user_id", "c13-new"), address])
    assert holder == old != new
    releasing.release_identifier(world.ws, address, (NOON - timedelta(days=7)).date(), "skrzynka oddana", "ola")
    assert world.people([address, Identifier("user_id", "c13-old")]) == [new, old]
    rows: Any = history()
    found = world.ws.warehouse.run(rows.filter(rows.name.isin(["c13-before", "c13-after"])).select("name", "person_id")).to_pylist()
    assert {row["name"]: row["person_id"] for row in found} == {"c13-before": old, "c13-after": new}
    by_itself = {"type": "track", "messageId": f"m{next(ONCE)}", "event": "c13-itself", "anonymousId": "c13-b", "properties": {"email": "c13@x.pl"}}
    world.take_in([({**by_itself, "timestamp": NOON.isoformat()}, False)])
    assert world.ws.warehouse.run(rows.filter(rows.name == "c13-itself").select("person_id")).to_pylist() == [{"person_id": new}]
    assert [said_of(world, user, "email")["email"] for user in ("c13-old", "c13-new")] == [None, "c13@x.pl"]
    with world.ws.transaction() as conn:
        release = resolve.releasing.releases_of(conn, world_ids(conn, new or 0))[0]
    releasing.undo_release(world.ws, release.release_id, "ola")
    assert world.people([address]) == [old]
    assert said_of(world, "c13-old", "email") == {"email": "c13@x.pl"}
    with pytest.raises(NamesEvents):
        releasing.release_identifier(world.ws, address, (NOON - timedelta(days=7)).date(), "skrzynka oddana", "ola")
    assert world.people([address]) == [old]


def test_erasing_who_once_had_an_address_touches_its_bearer_of_today_in_nothing_and_erasing_that_one_suppresses_it(world: World) -> None:
    """13 and 21: each has the address for a time of their own."""
    address, week = Identifier("email", "c13e@x.pl"), 7 * 24 * 60
    agreed = consents(marketing_email=True)
    world.take_in([call(0, "identify", "c13e-old", traits={"email": address.value}, context=agreed)])
    world.take_in([call(week, "identify", "c13e-new", traits={"email": address.value, "city": "Hel"}, context=agreed), call(week, "track", "c13e-new", event="c13e-after")])
    releasing.release_identifier(world.ws, address, (NOON - timedelta(days=7)).date(), "skrzynka oddana", "ola")

    def may_write(user: str) -> bool:
        [person] = world.people([Identifier("user_id", user)])
        with world.ws.transaction() as conn:
            subject = govern.Subject(person or 0, world_ids(conn, person or 0), address.value)
            return govern.allowed(conn, world.ws.keys, [subject], "marketing", Channel.EMAIL, NOON)[0].allowed

    def erase(user: str) -> None:
        [person] = world.people([Identifier("user_id", user)])
        govern.erase_everything(world.ws, world.ids(person or 0), HOLDERS, "ola", NOON)

    erase("c13e-old")
    gone, holder, new = world.people([Identifier("user_id", "c13e-old"), address, Identifier("user_id", "c13e-new")])
    assert (gone, holder) == (None, new)
    assert may_write("c13e-new") and said_of(world, "c13e-new", "email", "city") == {"email": address.value, "city": "Hel"}
    rows: Any = history()
    assert world.ws.warehouse.run(rows.filter(rows.name == "c13e-after").select("person_id")).to_pylist() == [{"person_id": new}]
    erase("c13e-new")
    assert world.people([address, Identifier("user_id", "c13e-new")]) == [None, None]
    world.take_in([call(week + 9, "identify", "c13e-third", traits={"email": address.value}, context=agreed)])
    assert world.people([address]) == world.people([Identifier("user_id", "c13e-third")]) and not may_write("c13e-third")


def test_a_stay_in_a_segment_and_its_beginning_survive_a_merge(world: World) -> None:
    """20: who goes on is in the segment in the place of the one who was joined."""
    with world.ws.transaction() as conn:
        number = segment.save(conn, "c20", {"op": "did", "event": "c20-signed"}, NOON).id
    told = [call(0, "track", "c20-old", event="s")], [call(1, "track", "c20-new", event="c20-signed")], [call(2, "alias", "c20-old", previousId="c20-new")]
    since: set[datetime] = set()
    for run in world.each_way(*told):
        with world.ws.transaction() as conn:
            members = segment.membership(conn, number, 0, 10)
        assert [one.person_id for one in members] == world.people([Identifier("user_id", "c20-old")]), run
        since |= {one.entered_at for one in members}
    assert len(since) == 1


def test_of_two_decisions_the_more_restrictive_holds_for_who_was_joined_per_purpose_and_channel(world: World) -> None:
    """22."""
    told = [
        call(0, "identify", "c22-a", traits={"email": "c22a@x.pl"}, context=consents(marketing_email=True, marketing_sms=True)),
        call(1, "identify", "c22-b", traits={"email": "c22b@x.pl"}, context=consents(marketing_email=False)),
    ]  # fmt: skip
    for run in world.each_way(told, [call(2, "alias", "c22-a", previousId="c22-b")]):
        assert may(world, "c22-a") == [False, True], run


def said_of(world: World, user: str, *keys: str) -> dict[str, Any]:
    """Some traits of a user, None for what is not known."""
    [person] = world.people([Identifier("user_id", user)])
    with world.ws.transaction() as conn:
        values = profile.profiles_of(conn, {person or 0: world_ids(conn, person or 0)})[person or 0]
    return {key: values.get(key) for key in keys}


@pytest.mark.parametrize("forwards", [True, False])
def test_the_newest_value_wins_by_the_time_of_its_event_null_deletes_and_nothing_written_is_a_value(world: World, forwards: bool) -> None:
    """23: over identities that were joined, too."""
    user = f"c23-{forwards}"
    told = [
        call(0, "identify", user, traits={"city": "Hel", "plan": "gold", "note": "x"}), call(5, "identify", f"{user}-2", traits={"city": "Łódź", "note": ""}),
        call(6, "identify", user, traits={"plan": None}), call(3, "identify", user, traits={"city": "Sopot"}), call(7, "alias", user, previousId=f"{user}-2"),
    ]  # fmt: skip
    for run in world.each_way(*([one] for one in (told if forwards else reversed(told)))):
        assert said_of(world, user, "city", "plan", "note") == {"city": "Łódź", "plan": None, "note": ""}, run


@pytest.mark.parametrize("twice", [False, True], ids=["as it came", "said again"])
def test_an_erased_person_is_gone_under_every_name_and_comes_back_as_somebody_new(world: World, twice: bool) -> None:
    """21: every child, events dated ahead, every address suppressed; the same id later is a new person."""
    tag = f"c21{'y' if twice else 'x'}"
    told = [[
        call(0, "identify", f"{tag}-a", anonymousId=f"{tag}-b1", traits={"email": f"{tag}a@x.pl"}), call(1, "identify", f"{tag}-c", traits={"email": f"{tag}c@x.pl", "phone": f"600 210 21{twice:d}"}),
        call(60 * 24 * 400, "track", f"{tag}-c", event=f"{tag}-ahead"),
    ], [call(2, "alias", f"{tag}-a", previousId=f"{tag}-c")]]  # fmt: skip
    for _ in zip(range(1 + twice), world.each_way(*told), strict=False):
        pass
    [person] = set(world.people([Identifier("user_id", f"{tag}-a"), Identifier("user_id", f"{tag}-c"), Identifier("anonymous_id", f"{tag}-b1")]))
    ids = world.ids(person or 0)
    erased = govern.erase_everything(world.ws, ids, HOLDERS, "ola", NOON)
    assert (len(ids), erased.addresses) == (7, 3), "an alias speaks of a browser, too"
    for name in ("events", "moves"):
        rows: Any = table(name)
        assert world.ws.warehouse.run(rows.filter(rows.identity_id.isin(ids))).num_rows == 0
    assert world.people([Identifier("user_id", f"{tag}-a"), Identifier("email", f"{tag}c@x.pl"), Identifier("anonymous_id", f"{tag}-b1")]) == [None, None, None]
    world.take_in([call(9, "track", f"{tag}-c", event="s", anonymousId=f"{tag}-b1")], [call(10, "identify", f"{tag}-c", traits={"email": f"{tag}a@x.pl"}, context=consents(marketing_email=True))])
    again = world.people([Identifier("user_id", f"{tag}-c"), Identifier("user_id", f"{tag}-a"), Identifier("anonymous_id", f"{tag}-b1")])
    assert again == [again[0], None, again[0]]
    assert again[0] not in ids
    with world.ws.transaction() as conn:
        for address, channel in ((f"{tag}a@x.pl", Channel.EMAIL), (f"{tag}c@x.pl", Channel.EMAIL), (f"+4860021021{twice:d}", Channel.SMS)):
            subject = govern.Subject(again[0] or 0, world_ids(conn, again[0] or 0), address)
            assert not govern.allowed(conn, world.ws.keys, [subject], "marketing", channel, NOON)[0].allowed


def test_a_link_taken_back_leaves_everything_as_if_it_had_never_been_also_when_its_events_are_played_again(world: World) -> None:
    """18: events, traits, computed traits, segments and consents; messages are in tests/activate/test_sending.py."""
    with world.ws.transaction() as conn:
        number = segment.save(conn, "c18", {"op": "did", "event": "c18-bought"}, NOON).id
    define_traits(world.ws, segment.computed.read("traits: {c18_bought: {compute: count, event: c18-bought}}"), "ola")
    told = [
        call(0, "identify", "c18-a", anonymousId="c18-b", traits={"city": "Hel"}, context=consents(marketing_email=True, marketing_sms=True)),
        call(1, "track", "c18-b2", event="c18-bought"), call(2, "identify", "c18-b2", traits={"city": "Sopot"}, context=consents(marketing_email=False)),
    ]  # fmt: skip

    def stand() -> tuple[Any, ...]:
        one, other = people = world.people([Identifier("user_id", "c18-a"), Identifier("user_id", "c18-b2")])
        rows: Any = history()
        owners = world.ws.warehouse.run(rows.filter(rows.name == "c18-bought").select("person_id").distinct()).to_pylist()
        with world.ws.transaction() as conn:
            inside = [(row.person_id, row.entered_at) for row in segment.membership(conn, number, 0, 10)]
        traits = [said_of(world, user, "city", "computed.c18_bought", "c18_bought") for user in ("c18-a", "c18-b2")]
        return one == other, people, owners, inside, traits, [may(world, "c18-a"), may(world, "c18-b2")]

    world.take_in(told)
    before = stand()
    joined = [call(3, "alias", "c18-a", previousId="c18-b2")]
    world.take_in(joined)
    assert stand()[0] is True and may(world, "c18-a") == [False, True] and stand()[4] != before[4]
    with world.ws.transaction() as conn:
        edge = next(edge for edge in resolve.links.edges_of(conn, before[1][0]) if edge.rule == "alias" and edge.weak.type == edge.strong.type)
    regrouping.take_link_back(world.ws, edge.edge_id, "ola")
    assert stand() == before
    for run in world.each_way(joined):
        assert stand() == before, run
    world.take_in([(one | {"messageId": f"m{next(ONCE)}"}, public) for one, public in reversed(told) if one["type"] != "track"])
    assert stand() == before


def test_a_tighter_rule_lists_who_would_be_out_of_bounds(world: World) -> None:
    """26."""
    tight = {**RULES, "types": {**RULES["types"], "email": {"limit": 2}}}  # type: ignore[dict-item]
    for run in world.each_way([call(n, "identify", "c26", traits={"email": f"c26-{n}@x.pl"}) for n in range(3)]):
        [person] = world.people([Identifier("user_id", "c26")])
        with world.ws.transaction() as conn:
            found = resolve.ruling.attempt(conn, tight).difference
        assert person in found.people, run
        assert [(one.reason, one.type, one.links) for one in found.bounds if one.person == person] == [("limit", "email", 1)], run


def test_the_same_ids_in_another_workspace_are_other_people(world: World, workspace: Workspace, after: dict[str, dict[Case, Any]]) -> None:
    """29."""
    assert after
    workspace.clock = lambda: NOON
    beside = World(workspace)
    beside.take_in([spoken(said, space(CASES[0], "as it came"), "m1") for batch in CASES[0].batches[:1] for said in batch])
    assert beside.people([named("u:A", space(CASES[0], "as it came"))]) == [None], "nobody there signed in"
    assert outcome(world, CASES[0], space(CASES[0], "as it came")) == after["as it came"][CASES[0]]
