"""The purpose register: why data may be used, on which lawful basis, on which channels, by which words, under whose law. Data, in versions.

What ships holds until somebody writes a version of their own. Polish law (PKE art. 398) asks for prior consent per channel, from
companies too, so that is what ships for Poland, and Poland's rule holds for everybody whose country is not known.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.text import Text

DAYS_13_MONTHS = 396
UNSAID = Text("", "")
MESSAGES = (Channel.EMAIL, Channel.SMS, Channel.PUSH, Channel.SITE)

#: Reasons to suppress an address, and whether each also stops messages that a contract needs (an order confirmation).
SUPPRESSIONS: dict[str, bool] = {"bounced": True, "erased": True, "complained": False, "manual": False}


@dataclass(frozen=True, kw_only=True)
class Purpose:
    """One purpose. `about` says what we do or send, `frequency` how often; both are for the person.

    `commercial`: its messages are marketing, so the law of the person's country may ask for consent whatever the basis.
    `double_opt_in`: consent to e-mail counts once a link in a letter was confirmed, within `confirm_hours`.
    `valid_days` 0: a consent holds until it is withdrawn. `listed`: people see it in their preferences.
    """

    key: str
    label: Text
    basis: Basis
    channels: tuple[Channel, ...]
    retention_days: int
    about: Text = UNSAID
    frequency: Text = UNSAID
    commercial: bool = False
    double_opt_in: bool = False
    confirm_hours: int = 72
    valid_days: int = 0
    listed: bool = True
    recipients: tuple[str, ...] = ()  #: to whom data goes beside the controller
    categories: tuple[str, ...] = ()  #: of personal data that it needs
    assessment: str = ""  #: where the impact assessment, or that of the legitimate interest, lies

    @property
    def by_contract(self) -> bool:
        """Whether it needs nobody's yes, and nobody can object."""
        return self.basis in (Basis.CONTRACT, Basis.LEGAL_OBLIGATION)

    def is_stopped_by(self, suppressions: Iterable[str]) -> bool:
        """Whether reasons for which an address is suppressed stop messages of this purpose."""
        return any(not self.by_contract or SUPPRESSIONS.get(reason, True) for reason in suppressions)


@dataclass(frozen=True, kw_only=True)
class Country:
    """What a country asks for: the channels on which commercial messages need prior consent, and whether companies must be asked too."""

    code: str
    prior_consent: tuple[Channel, ...]
    companies_too: bool = True
    law: Text = UNSAID
    authority: str = ""  #: whom a person can complain to


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One version of the words by which consent was asked for, in one language. It never changes; other words are another version."""

    purpose: str
    version: str
    language: str
    text: str
    channels: tuple[Channel, ...] = ()  #: that the words name

    @property
    def digest(self) -> str:
        """What proves that these were the words: SHA-256."""
        return sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Controller:
    """Who decides about the data (GDPR art. 4(7)), as people are told."""

    name: str = ""
    address: str = ""
    email: str = ""
    url: str = ""
    officer: str = ""  #: how to reach the data-protection officer


@dataclass(frozen=True)
class Register:
    """One version of everything above. `number` 0 is what ships."""

    purposes: Mapping[str, Purpose]
    countries: Mapping[str, Country]
    notices: tuple[Notice, ...] = ()
    controller: Controller = field(default_factory=Controller)
    default_country: str = "PL"
    number: int = 0

    def country(self, code: str | None) -> Country:
        """The rule for a person of this country; the default one's where it is not known."""
        return self.countries.get(code or "", self.countries[self.default_country])

    def notice(self, purpose: str, version: str, language: str = "") -> Notice | None:
        """The words of a version, in a language if it is known, else the first of that version."""
        found = [one for one in self.notices if one.purpose == purpose and one.version == version]
        return next((one for one in found if one.language == language), found[0] if found else None)

    def newest_notice(self, purpose: str, language: str) -> Notice | None:
        """The words people are asked by today."""
        found = [one for one in self.notices if one.purpose == purpose]
        return next((one for one in reversed(found) if one.language == language), found[-1] if found else None)

    @cached_property
    def categories(self) -> dict[str, tuple[str, Channel]]:
        """How a category of `context.consent.categoryPreferences` (Segment's consent object) reads: as purpose and channel.

        It is named "marketing_email", or by the purpose alone where that has one channel.
        """
        asked = [one for one in self.purposes.values() if not one.by_contract]
        named = {f"{one.key}_{channel}": (one.key, channel) for one in asked for channel in one.channels if channel is not Channel.NONE}
        return named | {one.key: (one.key, one.channels[0]) for one in asked if len(one.channels) == 1}

    @cached_property
    def confirmed_slots(self) -> frozenset[tuple[str, Channel]]:
        """Purposes and channels on which a yes counts only after it was confirmed from the mailbox."""
        return frozenset((one.key, Channel.EMAIL) for one in self.purposes.values() if one.double_opt_in and Channel.EMAIL in one.channels)


def needs_consent(purpose: Purpose, channel: Channel, country: Country, *, company: bool = False) -> bool:
    """Whether this use rests on a yes given before: by the purpose's own basis, or since the person's country asks for it."""
    by_law = purpose.commercial and channel in country.prior_consent and (country.companies_too or not company)
    return purpose.basis is Basis.CONSENT or by_law


def _rows(*rows: Purpose) -> dict[str, Purpose]:
    return {row.key: row for row in rows}


PURPOSES = _rows(
    Purpose(
        key="analytics", label=Text("Analiza zachowania na stronie", "Analysis of behavior on the site"), basis=Basis.CONSENT, channels=(Channel.NONE,),
        retention_days=DAYS_13_MONTHS, categories=("behavioral",),
        about=Text("Sprawdzamy, co jest oglądane, żeby strona działała lepiej.", "We look at what is viewed, to make the site better."),
    ),
    Purpose(
        key="marketing", label=Text("Wiadomości marketingowe", "Marketing messages"), basis=Basis.CONSENT, channels=MESSAGES,
        retention_days=1_095, commercial=True,
        about=Text("Nowości, promocje i polecane produkty.", "News, offers and products picked for you."),
        frequency=Text("zwykle nie częściej niż dwa razy w tygodniu", "usually no more than twice a week"), categories=("contact", "behavioral"),
    ),
    Purpose(
        key="email_tracking", label=Text("Mierzenie kliknięć w e-mailach", "Measuring clicks in e-mails"), basis=Basis.CONSENT, channels=(Channel.EMAIL,),
        retention_days=DAYS_13_MONTHS, about=Text("Zapisujemy, które odnośniki otwierasz.", "We record which links you open."), categories=("behavioral",),
    ),
    Purpose(
        key="push_tracking", label=Text("Mierzenie kliknięć w powiadomieniach", "Measuring clicks in notifications"), basis=Basis.CONSENT,
        channels=(Channel.PUSH,), retention_days=DAYS_13_MONTHS, categories=("behavioral",),
        about=Text("Zapisujemy, które powiadomienia otwierasz.", "We record which notifications you open."),
    ),
    Purpose(
        key="profiling", label=Text("Profilowanie na potrzeby marketingu", "Profiling for marketing"), basis=Basis.LEGITIMATE_INTEREST,
        channels=(Channel.NONE,), retention_days=DAYS_13_MONTHS, categories=("behavioral",),
        about=Text("Dobieramy treści na podstawie zakupów i odwiedzin.", "We choose what to show from purchases and visits."),
    ),
    Purpose(
        key="service", label=Text("Wiadomości o zamówieniu i usłudze", "Messages about an order or service"), basis=Basis.CONTRACT,
        channels=(Channel.EMAIL, Channel.SMS), retention_days=2_190, about=Text("Potwierdzenia, dostawa, zwroty.", "Confirmations, delivery, returns."),
        frequency=Text("tylko gdy coś zamawiasz", "only when you order something"), categories=("contact",),
    ),
)  # fmt: skip

POLAND = Country(
    code="PL", prior_consent=(Channel.EMAIL, Channel.SMS, Channel.PUSH), companies_too=True, authority="UODO, ul. Stanisława Moniuszki 1A, 00-014 Warszawa",
    law=Text("PKE art. 398: uprzednia zgoda na każdy kanał, także od firm", "PKE art. 398: prior consent for each channel, from companies too"),
)  # fmt: skip

SHIPPED = Register(PURPOSES, {POLAND.code: POLAND})


def forgotten(before: Register, after: Register) -> list[Notice]:
    """Words of the older version that the newer one lacks or has otherwise: proof rests on them, so there must be none."""
    kept: Mapping[tuple[str, str, str], Notice] = {(one.purpose, one.version, one.language): one for one in after.notices}
    return [one for one in before.notices if kept.get((one.purpose, one.version, one.language)) != one]


def repeated(notices: Iterable[Notice]) -> Notice | None:
    """The first notice whose purpose, version and language were there before."""
    seen: set[tuple[str, str, str]] = set()
    for one in notices:
        place = one.purpose, one.version, one.language
        if place in seen:
            return one
        seen.add(place)
    return None


