"""The door of segments that others keep: name a receiver, tell it who entered and left, see what it did not take.

Each round looks at what changed since the last one, asks the gate, and writes messages down before any is sent. Then the oldest one of each receiver
is sent until it is taken: so messages come in order, at least once, each under one key. A receiver that is away costs the others nothing.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from cegla.activate import actions as activate
from cegla.govern import actions as govern
from cegla.profile import actions as profile
from cegla.reference.crawling import Bounds, NotFetched
from cegla.reference.outgoing import Answered, may_go, post
from cegla.resolve import actions as resolve
from cegla.segment import actions as segment
from cegla.storage.workspace import Connection, Workspace
from cegla.sync import store
from cegla.sync.rules import letters
from cegla.sync.store import Letter as Letter
from cegla.sync.store import LineRow
from cegla.sync.store import Receiver as Receiver
from cegla.vocabulary.consent import Channel
from cegla.vocabulary.errors import InvalidInput, NotFound
from cegla.vocabulary.errors.messages import ReceiverAddress
from cegla.vocabulary.people import person_label
from cegla.vocabulary.text import Text

LINES_AT_ONCE, CHANGES_AT_ONCE, ASKED_AT_ONCE, LETTERS_A_ROUND = 100, 1_000, 10_000, 20
KEPT = timedelta(days=30)
SEALED = "sync receiver"
CHANNELS: Mapping[str, Channel] = {"none": Channel.NONE, "email": Channel.EMAIL, "sms": Channel.SMS}
HASHES: Mapping[Channel, str] = {Channel.EMAIL: "email_sha256", Channel.SMS: "phone_sha256"}
Post = Callable[[str, bytes, Mapping[str, str], Bounds], Answered]


def receivers(conn: Connection) -> list[Receiver]:
    """Every receiver, oldest first."""
    return store.receivers(conn)


def receiver(conn: Connection, receiver_id: int) -> Receiver:
    """One receiver. Raises NotFound."""
    found = store.receivers(conn, receiver_id)
    if not found:
        raise NotFound(where="receiver", seen=receiver_id, thing=Text(f"odbiorca {receiver_id}", f"receiver {receiver_id}"))
    return found[0]


def add(ws: Workspace, conn: Connection, name: str, url: str, told: tuple[Sequence[int], str, str], now: datetime) -> tuple[Receiver, str]:
    """A new receiver of segments for a purpose by a channel ("none", "email", "sms"): `told` holds the three; with it its secret, shown once.

    Raises InvalidInput, NotFound for a segment or a purpose that is not there, ReceiverAddress when nothing may be sent to the address.
    """
    segments, purpose, channel = list(dict.fromkeys(told[0])), told[1], told[2]
    title = name.strip()
    if not title or len(title) > 200 or not title.isprintable():
        raise InvalidInput(where="/name", seen=ascii(name), detail=Text("nazwa ma mieć od 1 do 200 znaków", "a name has 1 to 200 characters"))
    if channel not in CHANNELS:
        raise InvalidInput(where="/channel", seen=ascii(channel), detail=Text("kanał to none, email albo sms", "a channel is none, email or sms"))
    if not segments:
        raise InvalidInput(where="/segments", seen="[]", detail=Text("wskaż co najmniej jeden segment", "name at least one segment"))
    for one in segments:
        segment.segment(conn, one)
    held = govern.register.purpose(conn, purpose)
    if (reason := may_go(url, bounds(ws))) is not None:
        raise ReceiverAddress(where="/url", seen=url, reason=reason)
    secret = secrets.token_bytes(32)
    made = store.SQL.add_receiver(
        conn, name=title, url=url, segments=segments, purpose=held.key, channel=channel, sealed=ws.keys.seal(SEALED, secret),
        heard=segment.reading.newest_change(conn), now=now,
    )  # fmt: skip
    if made is None:
        raise InvalidInput(where="/name", seen=ascii(title), detail=Text("tę nazwę ma już inny odbiorca", "another receiver has this name"))
    return receiver(conn, made), letters.shown(secret)


def remove(conn: Connection, receiver_id: int) -> None:
    """A receiver goes, with what was not sent yet. Raises NotFound."""
    if not store.SQL.remove_receiver(conn, id=receiver_id):
        receiver(conn, receiver_id)


def switch(conn: Connection, receiver_id: int, *, enabled: bool, now: datetime) -> Receiver:
    """Tell a receiver again, or not any more. Raises NotFound."""
    store.SQL.switch(conn, id=receiver_id, enabled=enabled, now=now)
    return receiver(conn, receiver_id)


def messages(conn: Connection, receiver_id: int, limit: int = 50, before: int | None = None) -> list[Letter]:
    """Messages of a receiver, newest first. Raises NotFound."""
    receiver(conn, receiver_id)
    return [Letter(*row) for row in store.SQL.letters(conn, receiver_id=receiver_id, before=before, limit=limit)]


def again(conn: Connection, receiver_id: int, letter_id: int) -> None:
    """Send a refused message once more, under its own key. Raises NotFound when it is not among the refused."""
    if not store.SQL.again(conn, receiver_id=receiver_id, letter_id=letter_id):
        raise NotFound(where="message", seen=letter_id, thing=Text(f"odrzucony komunikat {letter_id}", f"refused message {letter_id}"))


def work(ws: Workspace, now: datetime, send: Post = post) -> int:
    """One round over all receivers that are due; returns how many messages were taken. Call it from one thread alone."""
    with ws.transaction() as conn:
        due = [one for one in store.receivers(conn, counted=False) if one.enabled]
    taken = 0
    for one in due:
        with ws.transaction() as conn:
            _listen(ws, conn, one, now)
        if one.next_at <= now:
            taken += _send(ws, one, now, send)
    return taken


def compare_all(conn: Connection, now: datetime) -> None:
    """Have whom each receiver was told of compared with who may be told of: consents change without a segment changing. Drops what is long done."""
    store.SQL.compare_all(conn, now=now)
    store.SQL.forget_letters(conn, before=now - KEPT)


def export_person(conn: Connection, identity_ids: Sequence[int]) -> dict[str, list[dict[str, object]]]:
    """Who is told that the person with these identities is in which segments."""
    return {"told": [{"receiver": name, "segment": segment_id} for name, segment_id in store.SQL.export(conn, people=list(identity_ids))]}


def erase_person(conn: Connection, identity_ids: Sequence[int]) -> int:
    """Nobody is told of the person any more; whoever was is told to forget the number they knew, and then that goes, too."""
    now, people = store.SQL.moment(conn), list(identity_ids)
    known = list(store.SQL.told_of_people(conn, people=people))
    gone = store.SQL.erase_told(conn, people=people) + store.SQL.erase_lines(conn, people=people)
    for receiver_id in dict.fromkeys(row[0] for row in known):
        lines = [LineRow(0, number, None, person_label(person), False, "erased", now) for owner, number, person in known if owner == receiver_id]
        store.put(conn, receiver_id, lines, now)
    return gone


def bounds(ws: Workspace) -> Bounds:
    """Where messages may go: the hosts of the settings."""
    return Bounds(ws.settings.sync.hosts, private_addresses=ws.settings.sync.private_addresses)


# what is to be told --------------------------------------------------------------------------------------------------------


def _listen(ws: Workspace, conn: Connection, one: Receiver, now: datetime) -> None:
    """Write down what a receiver has to be told: what changed since it was looked at last, or after comparing everybody."""
    lines: Iterable[LineRow]
    if one.compare_at is not None and one.compare_at <= now:
        heard, lines = segment.reading.newest_change(conn), _compared(ws, conn, one, now)
    else:
        changes = segment.reading.changes(conn, one.heard, CHANGES_AT_ONCE)
        if not changes:
            return
        heard, lines = changes[-1].id, _news(ws, conn, one, [row for row in changes if row.segment_id in one.segments], now)
    waiting = iter(lines)
    while batch := list(islice(waiting, LINES_AT_ONCE)):
        store.put(conn, one.id, batch, now)
    store.SQL.hear(conn, id=one.id, heard=heard)


def _news(ws: Workspace, conn: Connection, one: Receiver, changes: Sequence[segment.ChangeRow], now: datetime) -> list[LineRow]:
    """The changes that concern whoever was told of, or may be, in their order."""
    people = sorted({row.person_id for row in changes})
    allowed = set(_allowed(ws, conn, one, people, now))
    told = {number: store.told(conn, one.id, number, people) for number in {row.segment_id for row in changes}}
    lines: list[LineRow] = []
    for row in changes:
        inside = told[row.segment_id]
        if row.entered and row.person_id in allowed and row.person_id not in inside:
            inside.add(row.person_id)
            lines.append(LineRow(0, row.segment_id, row.person_id, None, True, "entered", row.at))
        elif not row.entered and row.person_id in inside:
            inside.discard(row.person_id)
            lines.append(LineRow(0, row.segment_id, row.person_id, None, False, "left", row.at))
    for number, inside in told.items():
        store.SQL.take_back(conn, receiver_id=one.id, segment_id=number, people=people)
        store.SQL.tell(conn, receiver_id=one.id, segment_id=number, people=sorted(inside))
    return lines


def _compared(ws: Workspace, conn: Connection, one: Receiver, now: datetime) -> Iterable[LineRow]:
    """Who has to be told of anew, and whom nobody may be told of any more."""
    for number in one.segments:
        members = _members(conn, number)
        allowed = _allowed_of(ws, conn, one, sorted(members), now)
        told = store.told(conn, one.id, number)
        entered, left = sorted(allowed - told), sorted(told - allowed)
        store.SQL.tell(conn, receiver_id=one.id, segment_id=number, people=entered)
        store.SQL.take_back(conn, receiver_id=one.id, segment_id=number, people=left)
        yield from (LineRow(0, number, person, None, False, "consent" if person in members else "left", now) for person in left)
        yield from (LineRow(0, number, person, None, True, "entered", now) for person in entered)


def _members(conn: Connection, segment_id: int) -> set[int]:
    found: set[int] = set()
    after = 0
    while page := segment.membership(conn, segment_id, after, CHANGES_AT_ONCE):
        found.update(row.person_id for row in page)
        after = page[-1].person_id
    return found


def _allowed_of(ws: Workspace, conn: Connection, one: Receiver, people: Sequence[int], now: datetime) -> set[int]:
    """Whom this receiver may be told of, of however many; the gate is asked about some at a time."""
    found: set[int] = set()
    for start in range(0, len(people), ASKED_AT_ONCE):
        found.update(_allowed(ws, conn, one, people[start : start + ASKED_AT_ONCE], now))
    return found


def _allowed(ws: Workspace, conn: Connection, one: Receiver, people: Sequence[int], now: datetime) -> dict[int, str | None]:
    """Whom this receiver may be told of now, and the hash of the address it may have."""
    channel = CHANNELS[one.channel]
    kind = govern.ADDRESS_TYPES.get(channel)
    reached = [row for row in resolve.reach.addresses(conn, people, kind or "") if kind is None or row.value is not None]
    asked = profile.places.subjects(conn, reached)
    profiled = govern.allowed(conn, ws.keys, [govern.Subject(row.person_id, row.identity_ids) for row in reached], "profiling", Channel.NONE, now)
    verdicts = govern.allowed(conn, ws.keys, asked, one.purpose, channel, now)
    return {
        row.person_id: activate.lists.hash_of(channel, row.value) if row.value is not None else None
        for row, verdict, own in zip(reached, verdicts, profiled, strict=True)
        if verdict.allowed and own.allowed
    }


# sending -------------------------------------------------------------------------------------------------------------------


def _send(ws: Workspace, one: Receiver, now: datetime, send: Post) -> int:
    """Send what waits, the oldest first, until something is not taken; returns how many were."""
    try:
        with ws.transaction() as conn:
            secret = ws.keys.unseal(SEALED, bytes(store.SQL.sealed(conn, id=one.id)))
    except ValueError:  # sealed with a key that is not here any more: this receiver has to be made anew, the others go on
        with ws.transaction() as conn:
            store.SQL.stop(conn, id=one.id, problem="secret")
        return 0
    for taken in range(LETTERS_A_ROUND):
        with ws.transaction() as conn:
            found = store.SQL.next_letter(conn, receiver_id=one.id)
            lines = _lines(ws, conn, one, found[0], now) if found else []
            names = {number: segment.segment(conn, number).name for number in {line.segment_id for line in lines}}
        if found is None:
            return taken
        if lines and not _taken(ws, one, (found[0], found[1], letters.body_of(lines, names, HASHES.get(CHANNELS[one.channel]), now)), (secret, now, send)):
            return taken
        with ws.transaction() as conn:
            store.SQL.delivered(conn, letter_id=found[0], now=now)
            store.SQL.went_well(conn, id=one.id, now=now)
    return LETTERS_A_ROUND


def _lines(ws: Workspace, conn: Connection, one: Receiver, letter_id: int, now: datetime) -> list[letters.Line]:
    """What a message may say now: the gate is asked once more about whoever is named as having entered."""
    rows = store.lines_of(conn, letter_id)
    entered = sorted({row.person_id for row in rows if row.entered and row.person_id is not None})
    allowed = _allowed(ws, conn, one, entered, now) if entered else {}
    withheld = [row for row in rows if row.entered and row.person_id not in allowed]
    if withheld:
        store.SQL.drop_lines(conn, letter_id=letter_id, places=[row.place for row in withheld])
        for row in withheld:
            store.SQL.take_back(conn, receiver_id=one.id, segment_id=row.segment_id, people=[row.person_id])
    kept = [row for row in rows if row not in withheld]
    return [
        letters.Line(row.segment_id, row.gone or person_label(row.person_id or 0), row.entered, row.reason, row.at, allowed.get(row.person_id or 0))
        for row in kept
    ]


def _taken(ws: Workspace, one: Receiver, letter: tuple[int, int, bytes], by: tuple[bytes, datetime, Post]) -> bool:
    """One try. A refusal is counted against the message, anything else against the receiver, which is asked again later."""
    letter_id, tries, body = letter
    secret, now, send = by
    try:
        answer = send(one.url, body, letters.headers_of(f"cegla-{one.id}-{letter_id}", secret, body, now), bounds(ws))
    except NotFetched as refused:
        answer, problem = Answered(0), refused.reason
    else:
        problem = f"HTTP {answer.status}"
    if 200 <= answer.status < 300:
        return True
    with ws.transaction() as conn:
        is_over = letters.is_refusal(answer.status) and tries + 1 >= letters.REFUSED_TRIES
        store.SQL.tried(conn, letter_id=letter_id, problem=problem, state="refused" if is_over else "waiting", now=now)
        store.SQL.failed(conn, id=one.id, problem=problem, next_at=now if is_over else now + letters.wait(one.tries + 1, answer.wait_seconds))
        if answer.status == letters.GONE:
            store.SQL.stop(conn, id=one.id, problem=problem)
    return False
