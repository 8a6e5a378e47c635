"""B2B, B2C or both: the legal form weighed with the address in use, the hours, and what the consistency checks say against it."""

from collections.abc import Mapping, Sequence
from math import exp

from cegla.profile.rules import addresses, consistency
from cegla.profile.rules.addresses import Judged, odds
from cegla.profile.rules.analysis import Known
from cegla.profile.rules.consistency import FIRM, Outcome
from cegla.vocabulary.text import Text

ASSUMED = -0.8  #: log-odds of "firm" of whom no analyser says anything
DECIDED = 0.65  #: how probable a side must be to be named
SIDES = {"b2b": Text("firma (B2B)", "company (B2B)"), "b2c": Text("konsument (B2C)", "consumer (B2C)"), "both": Text("jedno i drugie", "both")}
SIDE_SIGNS = {
    "firm": Text("forma prawna: firma lub instytucja", "legal form: a company or public body"), "consumer": Text("forma prawna: konsument",
    "legal form: a consumer"),
    "trader": Text("jednoosobowa działalność", "a sole trader"), "work_address": Text("ma tylko adres służbowy", "has an address for work only"),
    "private_address": Text("ma tylko adres prywatny", "has a private address only"), "office_hours": Text("działa w godzinach biurowych",
    "acts in office hours"),
    "free_time": Text("działa poza godzinami biurowymi", "acts outside office hours"),
    "two_roles": Text("na adres służbowy działa w pracy, na prywatny po pracy",
        "acts under an address for work at work, under a private one after work"),
    "conflict": Text("cechy są sprzeczne", "traits are at odds"),
}  # fmt: skip


def side_of(traits: Mapping[str, Known], judged: Sequence[Judged], outcomes: Sequence[Outcome]) -> tuple[str | None, float, list[str]]:
    """b2b, b2c or both, how sure, and the signs. A sole trader is both; so is who uses an address for work and buys as a consumer."""
    segment = traits.get("legal.segment")
    signs: list[str] = []
    points = ASSUMED
    if segment is not None:
        if segment.value == "jdg":
            return "both", segment.confidence, ["trader"]
        signs.append("firm" if segment.value in FIRM else "consumer")
        points = odds(segment.confidence) * (1 if segment.value in FIRM else -1)
    by_side = {one.side: one for one in judged if one.address.use.deeds >= addresses.FEWEST_DEEDS or len(judged) > 1}
    work, private = by_side.get("work"), by_side.get("private")
    if work is not None and private is not None and _in_two_roles(work, private):
        return "both", work.work * (1 - private.work), [*signs, "two_roles"]
    if (work is None) != (private is None):
        signs.append("work_address" if work else "private_address")
        points += 0.9 * (2 * work.work - 1) if work else -0.9 * (1 - 2 * (private.work if private else 0.5))
    week = traits.get("rhythm.hist")
    if week is not None:
        share = consistency.office_share(week.value)
        if share >= 0.5 or share <= 0.15:
            signs.append("office_hours" if share >= 0.5 else "free_time")
            points += 0.5 * (share - 0.3) * week.confidence  # many consumers shop at work
    against = [one for one in outcomes if not one.agrees and one.check.key.startswith("firm_")]
    points *= 0.6 ** len(against)
    signs += ["conflict"] if against else []
    business = 1 / (1 + exp(-points))
    if not signs or 1 - DECIDED < business < DECIDED:
        return None, 0.0, signs
    return ("b2b", business, signs) if business >= DECIDED else ("b2c", 1 - business, signs)


def _in_two_roles(work: Judged, private: Judged) -> bool:
    """Whether each address is used, at its own hours: for a firm at work, for oneself after it."""
    used = min(work.address.use.deeds, private.address.use.deeds) >= addresses.FEWEST_DEEDS
    return used and not {"used_at_work", "from_office"}.isdisjoint(work.signs) and "used_after_work" in private.signs
