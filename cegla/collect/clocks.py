"""The clocks of all devices, between the rule for one (`rules/clocks.py`) and the table of those that are wrong.

Most clocks are right, and of those only the newest stamp is remembered, in memory, for the devices seen last: it is needed
when a batch of a right clock arrives so late that it looks wrong. A clock that looks wrong gets a row, which is written in the
transaction that applies the events.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import psycopg

from cegla.collect.rules.clocks import Clock, Run
from cegla.collect.store import SQL, fingerprint
from cegla.vocabulary.events import Event

Key = tuple[int, str]  #: source and anonymousId
Known = datetime | Clock  #: the newest stamp of a clock that is right, or a clock that was wrong once
MOST_DEVICES = 50_000  #: per generation; between one and two generations are remembered
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Clocks:
    """What intake remembers between batches; to be made anew when a batch did not commit."""

    def __init__(self) -> None:
        self._young: dict[int, dict[str, Known]] = {}
        self._old: dict[int, dict[str, Known]] = {}

    def of_source(self, source_id: int) -> dict[str, Known]:
        """What is known of the devices of a source seen last, by anonymousId."""
        return self._young.setdefault(source_id, {})

    def known(self, key: Key) -> Known | None:
        """What is known of one device."""
        source_id, browser = key
        found = self.of_source(source_id).get(browser)
        return self._old.get(source_id, {}).get(browser) if found is None else found

    def turn(self) -> None:
        """Between batches: let go of who was not seen for long."""
        if sum(map(len, self._young.values())) > MOST_DEVICES:
            self._old, self._young = self._young, {}


def set_right(conn: psycopg.Connection, clocks: Clocks, events: Sequence[Event], now: datetime) -> list[Event]:
    """The events, each with the moment its device's clock means: in the order of its stamps, never after it was received."""
    doubtful: list[int] = []
    source_id, devices = 0, clocks.of_source(0)
    for place, event in enumerate(events):
        stamp, browser = event.original_at, event.anonymous_id
        if stamp is None or browser is None:
            continue
        if event.source_id != source_id:
            source_id, devices = event.source_id, clocks.of_source(event.source_id)
        newest = devices.get(browser)
        if newest.__class__ is datetime and event.occurred_at is stamp:
            if stamp > newest:  # pyright: ignore[reportOperatorIssue]
                devices[browser] = stamp
        else:
            doubtful.append(place)
    if not doubtful:
        return list(events)
    set_events = list(events)
    wrong = _set(conn, clocks, set_events, doubtful)
    _keep(conn, wrong, now)
    clocks.turn()
    return set_events


def _set(conn: psycopg.Connection, clocks: Clocks, events: list[Event], doubtful: list[int]) -> dict[Key, Clock]:
    """Set the doubtful events right in place; returns the clocks that were wrong."""
    keys = {(events[place].source_id, events[place].anonymous_id or "") for place in doubtful}
    stored = _stored(conn, [key for key in keys if clocks.known(key) is None])
    wrong: dict[Key, Clock] = {}
    for place in doubtful:
        event = events[place]
        stamp = event.original_at
        assert stamp is not None
        key = (event.source_id, event.anonymous_id or "")
        known = clocks.known(key) or stored.get(key)
        devices = clocks.of_source(event.source_id)
        if not isinstance(known, Clock) and event.occurred_at == stamp:
            devices[key[1]] = stamp if known is None else max(known, stamp)
            continue
        clock = known if isinstance(known, Clock) else Clock.after(None if known is None else _micros(known))
        devices[key[1]] = wrong[key] = clock
        sent = None if event.sent_at is None else _micros(event.sent_at)
        moment = _EPOCH + timedelta(microseconds=clock.moment(_micros(stamp), sent, _micros(event.received_at)))
        if moment != event.occurred_at:
            events[place] = msgspec.structs.replace(event, occurred_at=max(moment, _EPOCH))
    return wrong


def _stored(conn: psycopg.Connection, keys: Sequence[Key]) -> dict[Key, Clock]:
    if not keys:
        return {}
    by_device = {fingerprint(*key).hex(): key for key in keys}
    found: dict[Key, Clock] = {}
    for device, shift, runs in SQL.clocks(conn, devices=list(by_device)):
        triples = zip(runs[::3], runs[1::3], runs[2::3], strict=True)
        found[by_device[device.hex]] = Clock(shift, [Run(*triple) for triple in triples])
    return found


def _keep(conn: psycopg.Connection, wrong: dict[Key, Clock], now: datetime) -> None:
    if wrong:
        SQL.keep_clocks(
            conn,
            devices=[fingerprint(*key).hex() for key in wrong],
            shifts=[clock.shift for clock in wrong.values()],
            runs=[f"{{{','.join(str(number) for run in clock.runs for number in run)}}}" for clock in wrong.values()],
            now=now,
        )


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
