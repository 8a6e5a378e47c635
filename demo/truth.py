"""What is true in the simulated world, kept apart from what is sent, so that results can be scored."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec


@dataclass
class TrueOrder:
    """An order as it was; amounts in grosze. `refunded` is what was given back."""

    order_id: str
    person: int
    at: datetime
    total: int
    refunded: int = 0
    refunded_at: datetime | None = None


@dataclass
class TruePerson:
    """A person as they are. `marketing_email` and `email_tracking` are the last words said, None when never asked."""

    number: int
    persona: str
    user_id: str
    email: str
    phone: str | None
    mail_bounces: bool
    registered_at: datetime | None = None
    named_at: datetime | None = None  #: when the shop first learned the e-mail address
    marketing_email: bool | None = None
    email_tracking: bool | None = None
    analytics: bool | None = None
    own_devices: list[str] = field(default_factory=list)  #: anonymous ids used by this person alone
    shared_devices: list[str] = field(default_factory=list)
    visits: int = 0


@dataclass
class Truth:
    """Everything that results are scored against. Counts are of events handed to the sender up to the end of the stream."""

    people: dict[int, TruePerson] = field(default_factory=dict)
    orders: dict[str, TrueOrder] = field(default_factory=dict)
    duplicates: int = 0
    broken: int = 0  #: cannot be used, whatever the consent
    without_consent: int = 0  #: sent by the old page template although the person said no, or by a crawler that said nothing
    from_bots: int = 0
    events: int = 0  #: different usable events

    def net_revenue(self) -> int:
        """Orders less refunds, in grosze."""
        return sum(order.total - order.refunded for order in self.orders.values())

    def known(self) -> list[TruePerson]:
        """People whose e-mail address or account the shop knows."""
        return [person for person in self.people.values() if person.named_at is not None]

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_bytes(msgspec.json.format(msgspec.json.encode(asdict(self)), indent=1))


def load_truth(path: Path) -> Truth:
    """The truth that `save` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Truth)
