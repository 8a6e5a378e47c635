"""Which of a person's addresses is for work and which is private, and how sure that is: signs that add up as log-odds.

An address says something by itself (its domain, its mailbox, a landline), by when and where it is used, and a little by when it was
first given. The points are about the logarithm of how much likelier a sign is on an address for work than on a private one. They are set
by hand; tests/profile/test_correlation.py holds what they must come to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

from cegla.vocabulary.folding import folded
from cegla.vocabulary.text import Text

POINTS = {
    "role_mailbox": 2.2, "company_domain": 2.4, "own_domain": 1.7, "surname_domain": -1.2, "free_mailbox": -1.9, "disposable": -2.5, "landline": 1.4,
    "mobile": -0.3, "used_at_work": 1.6, "used_after_work": -1.6, "from_office": 1.3, "given_at_work": 0.4, "given_after_work": -0.4,
}  # fmt: skip
DECIDED = 0.65  #: how probable a side must be to be named
FEWEST_DEEDS = 3  #: hours of fewer deeds say nothing
WORKING_HOURS = (9, 17)  #: of who is known no better
SIGNS = {
    "role_mailbox": Text("skrzynka działu", "a mailbox of a role"), "company_domain": Text("domena podanej firmy", "the domain of the company given"),
    "own_domain": Text("własna domena", "a domain of its own"), "surname_domain": Text("nazwisko w domenie", "the surname in the domain"),
    "free_mailbox": Text("darmowa skrzynka", "a free mailbox"), "disposable": Text("skrzynka jednorazowa", "a throw-away mailbox"),
    "landline": Text("numer stacjonarny", "a landline"), "mobile": Text("numer komórkowy", "a mobile number"),
    "used_at_work": Text("używany w godzinach pracy", "used in working hours"), "used_after_work": Text("używany po pracy", "used after work"),
    "from_office": Text("używany w sieci firmowej", "used on a business network"), "given_at_work": Text("podany w godzinach pracy", "given in working hours"),
    "given_after_work": Text("podany po pracy", "given after work"),
}  # fmt: skip


class Use(NamedTuple):
    """What was done under an address: deeds, those of them in working hours and on an office's network, and the hour of most clicks."""

    deeds: int = 0
    working: int = 0
    office: int = 0
    hour: int | None = None


UNUSED = Use()


class Owner(NamedTuple):
    """What is known of whom the addresses belong to; empty texts are unknown."""

    surname: str = ""
    company: str = ""


@dataclass(frozen=True)
class Kinds:
    """What reference data says of addresses; handed over, so that the rules stay pure."""

    is_free: Callable[[str], bool]
    is_disposable: Callable[[str], bool]
    is_role: Callable[[str], bool]
    is_landline: Callable[[str], bool]


@dataclass(frozen=True)
class Address:
    """One address of a person. `text` never leaves the rules: what is kept names the identity."""

    identity: int
    channel: str  #: email or sms
    text: str
    given_at_work: bool | None = None
    use: Use = UNUSED


class Judged(NamedTuple):
    """An address, how probable it is for work, and why."""

    address: Address
    work: float
    signs: tuple[str, ...]

    @property
    def side(self) -> str | None:
        """work, private, or None: the signs do not say."""
        return "work" if self.work >= DECIDED else "private" if self.work <= 1 - DECIDED else None

    @property
    def sure(self) -> float:
        """How sure the side named is."""
        return max(self.work, 1 - self.work)


def judged(addresses: Sequence[Address], owner: Owner, kinds: Kinds) -> list[Judged]:
    """Every address with its probability of being for work, in the order of their identities."""
    return [_judged(address, owner, kinds) for address in sorted(addresses, key=lambda one: one.identity)]


def _judged(address: Address, owner: Owner, kinds: Kinds) -> Judged:
    signs = _of_email(address.text, owner, kinds) if address.channel == "email" else ["landline" if kinds.is_landline(address.text) else "mobile"]
    points = sum(POINTS[sign] for sign in signs)
    use = address.use
    if use.deeds >= FEWEST_DEEDS:
        trust = use.deeds / (use.deeds + 3.0)
        share, office = use.working / use.deeds, use.office / use.deeds
        if share >= 0.6 or share <= 0.3:
            signs.append("used_at_work" if share >= 0.6 else "used_after_work")
            points += POINTS[signs[-1]] * trust * (share if share >= 0.6 else 1 - share)
        if office >= 0.5:
            signs.append("from_office")
            points += POINTS["from_office"] * trust * office
    elif address.given_at_work is not None:
        signs.append("given_at_work" if address.given_at_work else "given_after_work")
        points += POINTS[signs[-1]]
    return Judged(address, 1 / (1 + exp(-points)), tuple(signs))


def _of_email(text: str, owner: Owner, kinds: Kinds) -> list[str]:
    mailbox, _, domain = text.rpartition("@")
    if kinds.is_disposable(domain):
        return ["disposable"]
    if kinds.is_free(domain):
        return ["free_mailbox"]
    name = folded(domain).split(".")[0]
    surname = folded(owner.surname)
    if owner.company and len(name) > 2 and name in folded(owner.company).replace(" ", "").replace(".", ""):
        signs = ["company_domain"]
    else:
        signs = ["surname_domain", "own_domain"] if len(surname) > 2 and surname in name else ["own_domain"]
    return [*signs, "role_mailbox"] if kinds.is_role(mailbox) else signs


def odds(chance: float) -> float:
    """The log-odds of a chance, which is never taken for certain."""
    chance = min(max(chance, 0.02), 0.98)
    return log(chance / (1 - chance))
