"""The library: everything that is known of the world, opened once for a workspace and read when first asked.

What ships lies in the project; what `cegla data update` fetched lies in the data directory and goes first. `current` notices new data
between two batches, so that an update needs no restart.
"""

import hashlib
import json
from functools import cached_property
from pathlib import Path

from cegla.reference.addresses import Addresses
from cegla.reference.bots import Bots
from cegla.reference.calendar import PolishCalendar
from cegla.reference.hosts import Hosts
from cegla.reference.machines import Machines
from cegla.reference.pack import SHEET, SHIPPED, read_json, read_sheet, read_table
from cegla.reference.places import Poland, poland
from cegla.reference.words import WORDS, Words
from cegla.vocabulary.world import Machine, Network, Origin


class Library:
    """Answers about the world (`vocabulary.world.World`), and the shelves behind them: `poland`, `calendar`, `words`."""

    def __init__(self, fetched: Path | None = None) -> None:
        self.fetched = fetched
        self._stamp = self._sheet_stamp()
        self._sheets = [read_sheet(SHIPPED), read_sheet(fetched) if fetched else {}]
        self._next: Library | None = None

    def current(self) -> "Library":
        """This library, or the one that took its place when the fetched data changed."""
        if self._next is None:
            if self._sheet_stamp() == self._stamp:
                return self
            self._next = Library(self.fetched)
        return self._next.current()

    @property
    def version(self) -> str:
        """Names the data behind every answer: two libraries with one version answer alike."""
        return self._version

    @property
    def learned(self) -> int:
        """How many machines became known after they were first asked for."""
        return self._machines.learned

    @cached_property
    def _version(self) -> str:
        return hashlib.sha256(json.dumps([self._sheets, self._machines.full], sort_keys=True).encode()).hexdigest()[:12]

    # one answer each --------------------------------------------------------------------------------------------------

    def network(self, address: str) -> Network:
        """Country, place, operator and kind of network of an address, and whether it is a data centre's or a proxy's."""
        return self._addresses.network(address)

    def origin(self, host: str, path: str = "") -> Origin:
        """The search engine, network, assistant, mail service or marketplace a host belongs to."""
        return self._hosts.find(host, path)

    def names_itself_bot(self, agent: str) -> bool:
        """Whether a user agent says that no person is behind it."""
        return self._bots.named(agent)

    def machine(self, agent: str, hints: tuple[tuple[str, str], ...] = ()) -> Machine:
        """Type, brand and model, as far as they are known by now; never waits."""
        return self._machines.machine(agent, hints)

    def settle(self) -> None:
        """Wait until every machine asked for so far is known."""
        self._machines.settle()

    # shelves ----------------------------------------------------------------------------------------------------------

    @property
    def poland(self) -> Poland:
        """Powiats with wages, cities, postcodes."""
        return poland()

    @cached_property
    def calendar(self) -> PolishCalendar:
        """Holidays and trading Sundays."""
        return PolishCalendar()

    @property
    def words(self) -> Words:
        """Legal forms, free and throw-away mailboxes, mailboxes of roles."""
        return WORDS

    @cached_property
    def _addresses(self) -> Addresses:
        return Addresses(SHIPPED, self.fetched, self.poland)

    @cached_property
    def _hosts(self) -> Hosts:
        own: dict[str, dict[str, list[list[str]]]] = {}
        for kind, name, hosts, *parameters in read_table("referrers.tsv"):
            own.setdefault(kind, {})[name] = [hosts.split(), parameters[0].split() if parameters else []]
        return Hosts(read_json(SHIPPED, "referrers"), own)

    @cached_property
    def _bots(self) -> Bots:
        return Bots(SHIPPED)

    @cached_property
    def _machines(self) -> Machines:
        return Machines()

    def _sheet_stamp(self) -> int:
        try:
            return (self.fetched / SHEET).stat().st_mtime_ns if self.fetched else 0
        except OSError:
            return 0
