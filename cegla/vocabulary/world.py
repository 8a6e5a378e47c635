"""What reference data answers: the network behind an address, the host behind a referrer, the place at a point."""

from typing import NamedTuple, Protocol


class Network(NamedTuple):
    """What an address (or the network it was shortened to) tells. None is an honest unknown.

    `voivodeship` and `powiat` are TERYT codes (2 and 4 digits). `kind` is mobile, fixed, business, hosting, education or public.
    """

    country: str | None = None
    voivodeship: str | None = None
    powiat: str | None = None
    city: str | None = None
    timezone: str | None = None
    asn: int | None = None
    kind: str | None = None
    is_datacentre: bool = False
    is_proxy: bool = False  #: VPN, Tor, private relay


class Origin(NamedTuple):
    """Whose host a referrer is. `kind`: search, social, assistant, mail, marketplace, ads, or "other"; `parameters` hold what was searched for."""

    kind: str
    name: str | None
    parameters: tuple[str, ...] = ()


class Machine(NamedTuple):
    """A device as its maker sells it."""

    type: str | None  #: desktop, phone, tablet, tv, console, wearable, car, camera, speaker
    brand: str | None
    model: str | None
    os: str | None = None  #: the family of its system, where the full rules name one of the great ones


class World(Protocol):
    """Answers about the world, the same for equal questions under one `version`."""

    @property
    def version(self) -> str:
        """Names the data behind the answers."""
        ...

    @property
    def learned(self) -> int:
        """Grows when an answer of `machine` became better than it was."""
        ...

    def network(self, address: str) -> Network:
        """What an address tells."""
        ...

    def origin(self, host: str, path: str) -> Origin:
        """Whose host a referrer is."""
        ...

    def names_itself_bot(self, agent: str) -> bool:
        """Whether a user agent says it is a crawler, a tool or another machine without a person."""
        ...

    def machine(self, agent: str, hints: tuple[tuple[str, str], ...]) -> Machine:
        """The machine behind a user agent and its client hints."""
        ...


UNKNOWN_NETWORK = Network()
NOWHERE = Origin("other", None)
UNKNOWN_MACHINE = Machine(None, None, None)


class UnknownWorld:
    """A world of which nothing is known: every answer is an honest unknown."""

    version = "none"
    learned = 0

    def network(self, address: str) -> Network:
        """Nothing."""
        return UNKNOWN_NETWORK

    def origin(self, host: str, path: str) -> Origin:
        """Nobody's."""
        return NOWHERE

    def names_itself_bot(self, agent: str) -> bool:
        """No."""
        return False

    def machine(self, agent: str, hints: tuple[tuple[str, str], ...]) -> Machine:
        """Nothing."""
        return UNKNOWN_MACHINE
