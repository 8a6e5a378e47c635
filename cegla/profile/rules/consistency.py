"""Whether what analysers found of one person agrees: each check sets two traits beside each other, and shows both when they do not fit.

    traits of all analysers ──► CHECKS (one row each) ──► Outcome: agrees, or conflicts with both sides and their evidence

A check of which one side is unknown says nothing, so it works with whichever analysers are on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from cegla.profile.rules.analysis import Known
from cegla.vocabulary.text import Text

Traits = Mapping[str, Known]
FIRM = ("b2b", "public", "ngo")
LEAST_SURE = 0.3  #: what is less sure than this is set against nothing
BY_PLACE = "consumer.devices"  #: what the correlation itself knows of devices by place
OFFICE_DAYS, OFFICE_HOURS = range(5), (9, 17)
_OFFICE = [slice(day * 24 + OFFICE_HOURS[0], day * 24 + OFFICE_HOURS[1]) for day in OFFICE_DAYS]


@dataclass(frozen=True)
class Check:
    """Two traits that should fit. `agree` is None where the values do not say; `told` names what must be known besides."""

    key: str
    label: Text
    one: str
    other: str
    agree: Callable[[Any, Any, Traits], bool | None]
    conflict: Text  #: the sentence that shows both, {one} and {other}


class Outcome(NamedTuple):
    """What a check found: both sides, how sure each is and on how much it rests; `weight` is how sure the less sure one is."""

    check: Check
    agrees: bool
    one: Known
    other: Known

    @property
    def weight(self) -> float:
        """0 to 1."""
        return min(self.one.confidence, self.other.confidence)

    @property
    def record(self) -> dict[str, Any]:
        """The conflict as it is kept: nothing but values of traits that are kept already."""
        return {
            "check": self.check.key, "weight": round(self.weight, 3),
            "one": {"trait": self.check.one, "value": _short(self.one.value), "confidence": self.one.confidence, "n": self.one.n},
            "other": {"trait": self.check.other, "value": _short(self.other.value), "confidence": self.other.confidence, "n": self.other.n},
        }  # fmt: skip


def checked(traits: Traits) -> list[Outcome]:
    """Every check of which both sides are known well enough, in the order of the table."""
    found: list[Outcome] = []
    for check in CHECKS:
        if (one := traits.get(check.one)) is None or (other := traits.get(check.other)) is None:
            continue
        if one.confidence < LEAST_SURE or other.confidence < LEAST_SURE:
            continue
        agrees = check.agree(one.value, other.value, traits)
        if agrees is not None:
            found.append(Outcome(check, agrees, one, other))
    return found


def consistency(outcomes: Sequence[Outcome]) -> float | None:
    """The share of checks that agree, each by its weight; None without any."""
    weights = [one.weight for one in outcomes]
    total = sum(weights)
    return sum([weight for one, weight in zip(outcomes, weights, strict=True) if one.agrees]) / total if total else None


def office_share(histogram: Sequence[float]) -> float:
    """Of a week's 168 shares from Monday 0:00 on, what lies in office hours of working days."""
    return float(sum([sum(histogram[hours]) for hours in _OFFICE]))


def top(shares: Mapping[str, float]) -> str | None:
    """The name with the greatest share; the first by name of equals."""
    return max(sorted(shares), key=lambda name: shares[name], default=None)


def _value(traits: Traits, key: str) -> Any:
    found = traits.get(key)
    return None if found is None else found.value


def _home(declared: str, home: str, traits: Traits) -> bool | None:
    """A declared address against the powiat of nights: another powiat is a conflict, unless the address is where the person works."""
    return declared == home if _value(traits, "geo.source") == "address" else None


def _lines(powiat: str, home: str, traits: Traits) -> bool | None:
    """Where addresses of the network show a person most, against home and work."""
    return powiat in (home, _value(traits, "place.work")) if _value(traits, "geo.source") == "ip" else None


def _firm_hours(segment: str, week: Sequence[float], traits: Traits) -> bool | None:
    """Firms are active in office hours; the flat prior of the histogram alone gives a quarter."""
    share = office_share(week)
    if segment in FIRM:
        return share >= 0.25
    return share < 0.75 if segment == "b2c" else None


def _firm_line(segment: str, kind: str, traits: Traits) -> bool | None:
    """Who is a consumer is not mostly on a firm's network, unless they are known to go out to work; a firm's network speaks for a firm."""
    if segment == "b2c":
        return kind != "business" or "place.work" in traits
    return True if segment in FIRM and kind in ("business", "education", "public") else None


def _firm_address(segment: str, is_role: bool, traits: Traits) -> bool | None:
    """The mailbox of a role belongs to no consumer."""
    return not is_role if segment == "b2c" else True if is_role else None


def _shifts(works_shifts: bool, home: str, traits: Traits) -> bool | None:
    """Who is active at night may not be at home then."""
    return not works_shifts


def _devices(guesses: Sequence[Mapping[str, Any]], by_place: Sequence[Mapping[str, Any]], traits: Traits) -> bool | None:
    """What a device's hours say of it against where it is used: work by one and private by the other do not fit."""
    placed = {one["device"]: one["use"] for one in by_place}
    both = [(one.get("use"), placed[one["device"]]) for one in guesses if one.get("device") in placed]
    return {"work", "private"} not in [set(pair) for pair in both] if both else None


def _systems(family: str, mix: Mapping[str, float], traits: Traits) -> bool | None:
    """A desktop system on phones, or the other way round."""
    kind = top(mix)
    if family in ("Windows", "macOS", "Linux", "ChromeOS", "Chrome OS"):
        return kind == "desktop"
    return kind in ("phone", "tablet") if family in ("Android", "iOS", "iPadOS") else None


def _zones(country: str, zone: str, traits: Traits) -> bool | None:
    """A Polish address and a foreign clock."""
    return zone == "Europe/Warsaw" if country == "PL" else None if not zone else zone != "Europe/Warsaw"


def _alive(stage: str, level: str, traits: Traits) -> bool | None:
    """Nobody is lost and hot at once, or active and asleep."""
    if stage == "lapsed":
        return level != "hot"
    return level != "sleeping" if stage in ("active", "new") else None


def _arrives(arrives: float, channels: Mapping[str, float], traits: Traits) -> bool | None:
    """Who acts on mails has an address that works."""
    return arrives >= 0.3 if channels.get("email", 0.0) >= 0.2 else None


def _intends(chance: float, stage: str, traits: Traits) -> bool | None:
    """Who has gone does not buy this week."""
    return chance < 0.5 if stage == "lapsed" else True if chance >= 0.5 else None


def _reach(hours: Sequence[str], hour: int, traits: Traits) -> bool | None:
    """Who picks up the phone at some hours ("1-10": Monday at ten) is there at the hour to write to as well, or next to it."""
    known = [int(one.rpartition("-")[2]) for one in hours]
    return any(abs(hour - one) <= 2 for one in known) if known else None


def _short(value: Any) -> Any:
    """Of long values what the check looked at."""
    if isinstance(value, list) and len(value) == 168:
        return {"office": round(office_share(value), 3)}
    if isinstance(value, list):
        return value[:6]
    return value


CHECKS: tuple[Check, ...] = (
    Check("home_by_address", Text("dom: adres i noce", "home: address and nights"), "geo.powiat", "place.home", _home,
        Text("Podany adres leży w powiecie {one}, a wieczory i noce są w powiecie {other}.",
            "The address given is in the powiat {one}, yet evenings and nights are in the powiat {other}.")),
    Check("place_by_network", Text("miejsce: sieć oraz dom i praca", "place: network, home and work"), "geo.powiat", "place.home", _lines,
        Text("Najwięcej wizyt jest z powiatu {one}, a to ani dom ({other}), ani praca.",
            "Most visits are from the powiat {one}, which is neither home ({other}) nor work.")),
    Check("firm_by_hours", Text("firma: forma prawna i godziny", "company: legal form and hours"), "legal.segment", "rhythm.hist", _firm_hours,
        Text("Forma prawna mówi: {one}; w godzinach biurowych wypada {other} aktywności.",
            "The legal form says: {one}; in office hours lies {other} of the activity.")),
    Check("firm_by_network", Text("firma: forma prawna i sieć", "company: legal form and network"), "legal.segment", "line.kind", _firm_line,
        Text("Forma prawna mówi: {one}; łącze to {other}.", "The legal form says: {one}; the line is: {other}.")),
    Check("firm_by_address", Text("firma: forma prawna i skrzynka", "company: legal form and mailbox"), "legal.segment", "contact.role_address",
        _firm_address,
        Text("Forma prawna mówi: {one}; skrzynka należy do działu: {other}.", "The legal form says: {one}; the mailbox belongs to a role: {other}.")),
    Check("home_by_shifts", Text("dom: noce i zmiany", "home: nights and shifts"), "rhythm.shift_worker", "place.home", _shifts,
        Text("Osoba pracuje na zmiany ({one}), więc noce w powiecie {other} mogą być pracą.",
            "The person works shifts ({one}), so that nights in the powiat {other} may be work.")),
    Check("devices_by_place", Text("urządzenia: godziny i miejsce", "devices: hours and place"), "device.work_private_guess", BY_PLACE, _devices,
        Text("Według godzin: {one}; według miejsca i sieci: {other}.", "By the hours: {one}; by place and network: {other}.")),
    Check("system_by_device", Text("system i urządzenie", "system and device"), "os.family", "online.device_mix", _systems,
        Text("Najczęstszy system to {one}, a wizyty: {other}.", "The most frequent system is {one}, yet the visits are: {other}.")),
    Check("zone_by_country", Text("kraj i strefa czasowa", "country and time zone"), "geo.country", "geo.tz", _zones,
        Text("Adres wskazuje kraj {one}, a urządzenie strefę {other}.", "The address shows the country {one}, yet the device the zone {other}.")),
    Check("alive_by_engagement", Text("etap życia i zaangażowanie", "life cycle and engagement"), "online.lifecycle", "engage.level", _alive,
        Text("Etap życia: {one}; zaangażowanie: {other}.", "The life cycle: {one}; the engagement: {other}.")),
    Check("mail_by_clicks", Text("dostarczalność i kliknięcia", "deliverability and clicks"), "quality.deliverability", "engage.by_channel", _arrives,
        Text("Szansa, że poczta dojdzie: {one}; a osoba działa na kanałach: {other}.",
            "The chance that mail arrives: {one}; yet the person acts on: {other}.")),
    Check("intent_by_life", Text("zamiar i etap życia", "intent and life cycle"), "intent.score", "online.lifecycle", _intends,
        Text("Szansa zakupu w 7 dni: {one}; etap życia: {other}.", "The chance of an order in 7 days: {one}; the life cycle: {other}.")),
    Check("calls_by_rhythm", Text("telefon i rytm", "phone and rhythm"), "call.reachable_hours", "rhythm.best_send_hour", _reach,
        Text("Odbiera telefon o {one}, a aktywność szczytuje o {other}.", "The phone is answered at {one}, yet activity peaks at {other}.")),
)  # fmt: skip
BY_KEY = {check.key: check for check in CHECKS}
