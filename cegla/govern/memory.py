"""What intake remembers of the ledger between batches, so that who says the same again costs no SQL.

Exact, because whoever else writes decisions leaves word in the same transaction (`govern.changed_outside`), and intake makes
a new memory when a batch of its own did not commit.
"""

from collections.abc import Iterable, Mapping, Set
from itertools import islice

from cegla.govern import store
from cegla.govern.rules.purposes import SHIPPED, Register
from cegla.govern.rules.signals import Ledger, Settled, Statements
from cegla.govern.store import SQL
from cegla.storage.workspace import Connection

MOST_IDENTITIES = 100_000


class LedgerMemory:
    """The decisions of identities seen lately, and what those who keep repeating themselves said last. Not for two threads."""

    def __init__(self) -> None:
        self.ledgers: dict[int, Ledger] = {}
        self.settled: dict[int, Settled] = {}
        self.statements = Statements()
        self.register: Register = SHIPPED
        self.origins: Mapping[int, Mapping[str, object]] = {}  #: origin and basis of file imports, by the writer of their events
        self.own: Set[int] = frozenset()  #: sources by which this installation tells what it did, and decided, itself
        self.browsers: Set[int] = frozenset()  #: sources that are websites

    def begin(self, conn: Connection) -> None:
        """A batch begins: drop what others changed since the last one, and who was not added for long."""
        self.statements.begin()
        for (identity,) in SQL.take_changed_outside(conn):
            self._forget(identity)
        if len(self.ledgers) > MOST_IDENTITIES:
            for identity in list(islice(self.ledgers, MOST_IDENTITIES // 4)):
                self._forget(identity)

    def follow(self, register: Register) -> None:
        """The register in force: other purposes let the same words say something else."""
        if register.categories != self.register.categories or register.confirmed_slots != self.register.confirmed_slots:
            self.statements = Statements(register.categories)
            self.settled.clear()
        self.register = register

    def load(self, conn: Connection, identity_ids: Iterable[int]) -> None:
        """Load whoever of these is not known; `ledgers` then has them all."""
        missing = [identity for identity in identity_ids if identity not in self.ledgers]
        if missing:
            for identity in missing:
                self.ledgers[identity] = {}
            for slot, rows in store.ledger_of(conn, missing).items():
                self.ledgers[slot[0]][slot] = rows

    def _forget(self, identity: int) -> None:
        self.ledgers.pop(identity, None)
        self.settled.pop(identity, None)
