"""The consumer profile as a person reads it: statements, addresses, the plan and what is at odds, each with how sure it is and why.

Made of what `analysers/consumer.py` found and of nothing else. An address is named by its identity: whoever shows it asks for the text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from cegla.profile.analysers.consumer import PARTS_OF_DAY, USES
from cegla.profile.catalogue import TRAITS
from cegla.profile.rules import addresses, contact
from cegla.profile.rules.consistency import BY_KEY, BY_PLACE
from cegla.profile.rules.reasons import shown, why
from cegla.profile.rules.sides import SIDE_SIGNS
from cegla.reference.places import poland
from cegla.vocabulary.people import Trait
from cegla.vocabulary.text import Language, Text

STATED = ("consumer.side", "consumer.day", "consumer.working_hours", "consumer.home", "consumer.work", "consumer.devices", "consumer.topics_by_daypart",
    "consumer.consistency")  # fmt: skip
DEVICES = {
    "phone": Text("telefon", "phone"), "desktop": Text("komputer", "computer"), "tablet": Text("tablet", "tablet"), "tv": Text("telewizor", "TV"),
}  # fmt: skip
CHANNELS = {"email": Text("e-mail", "e-mail"), "sms": Text("SMS", "SMS")}
AT_HOUR = Text("około {hour}:00", "at about {hour}:00")


@dataclass(frozen=True)
class Statement:
    """One thing that is said of a person. `trait` is the key it rests on; of an unknown `said` is empty and `why` says what is missing."""

    trait: str
    label: Text
    said: Text
    confidence: float
    why: tuple[Text, ...]

    @property
    def is_known(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.said.pl)


@dataclass(frozen=True)
class OwnAddress:
    """An address, for what it is used, and the signs."""

    identity: int
    channel: Text
    use: Text
    confidence: float
    why: tuple[Text, ...]


@dataclass(frozen=True)
class Advice:
    """One line of the plan: about what, to which address, when, and why."""

    identity: int
    channel: Text
    about: Text
    subjects: tuple[str, ...]
    when: Text
    confidence: float
    why: tuple[Text, ...]


@dataclass(frozen=True)
class Conflict:
    """Two traits that do not fit, and on how much each rests: (label, value, confidence, evidence) of both sides."""

    label: Text
    said: Text
    sides: tuple[tuple[Text, Text, float, int], ...]


@dataclass(frozen=True)
class Story:
    """Everything, in the order in which it is read."""

    statements: tuple[Statement, ...] = ()
    addresses: tuple[OwnAddress, ...] = ()
    plan: tuple[Advice, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    agreeing: int = 0
    unknown: tuple[Statement, ...] = field(default=())

AT_WORK = Text("wizyt w pracy: {share}%", "visits at work: {share}%")


def told(traits: Iterable[Trait], zone: tzinfo) -> Story | None:
    """The story of one person; None when the joining analyser says nothing of them. Times of sentences are in `zone`."""
    known = {trait.key: trait for trait in traits if trait.key in TRAITS and TRAITS[trait.key][0].key == "consumer"}
    if not known:
        return None
    statements = [_statement(known[key], zone) for key in STATED if key in known]
    conflicts = _records(known, "consumer.conflicts")
    checks = known["consumer.consistency"].n_evidence if "consumer.consistency" in known else 0
    return Story(
        tuple(one for one in statements if one.is_known), tuple(_address(one) for one in _records(known, "contact.addresses")),
        tuple(_advice(one) for one in _records(known, "contact.plan")), tuple(_conflict(one, zone) for one in conflicts), checks - len(conflicts),
        tuple(one for one in statements if not one.is_known),
    )  # fmt: skip


def _records(known: Mapping[str, Trait], key: str) -> list[Any]:
    return known[key].value or [] if key in known else []


def _statement(trait: Trait, zone: tzinfo) -> Statement:
    analyser, row = TRAITS[trait.key]
    reasons = tuple(SIDE_SIGNS[sign] for sign in trait.facts.get("signs") or ()) if trait.key == "consumer.side" and trait.value else ()
    said = Text(_said(trait, "pl", zone), _said(trait, "en", zone)) if trait.value is not None else Text("", "")
    return Statement(trait.key, row.label, said, trait.confidence, reasons or (why(analyser, row, trait, zone),))


def _said(trait: Trait, language: Language, zone: tzinfo) -> str:
    match trait.key:
        case "consumer.home" | "consumer.work":
            return powiat(trait.value, language)
        case "consumer.devices":
            return "; ".join(f"{device_named(one['device'], language)}: {USES[one['use']].say(language)} ({_at_work(one, language)})" for one in trait.value)
        case "consumer.topics_by_daypart":
            return "; ".join(f"{PARTS_OF_DAY[one['daypart']].say(language)}: {', '.join(one['topics'])}" for one in trait.value)
        case "consumer.consistency":
            return f"{round(trait.value * 100)}%"
        case _:
            return shown(trait.value, language, zone, TRAITS[trait.key][1].words)


def _at_work(one: Mapping[str, Any], language: Language) -> str:
    return AT_WORK.say(language, share=round(one["share"] * 100))


def powiat(code: str, language: Language) -> str:
    """A powiat by name and code: "powiat krakowski (1206)"."""
    name = poland().powiat_name(code)
    return f"powiat {name} ({code})" if name else code


def device_named(name: str, language: Language) -> str:
    """A model as it is; a device without one in words: "telefon Android"."""
    kind, _, rest = name.partition(" ")
    return f"{DEVICES[kind].say(language)} {rest}".strip() if kind in DEVICES else name


def _address(one: Mapping[str, Any]) -> OwnAddress:
    return OwnAddress(one["identity"], CHANNELS[one["channel"]], USES[one["use"]], one["sure"], tuple(addresses.SIGNS[sign] for sign in one["signs"]))


def _advice(one: Mapping[str, Any]) -> Advice:
    days, hour = contact.DAYS[one["days"]], one["hour"]
    when = days if hour is None else Text(f"{days.pl}, {AT_HOUR.pl.format(hour=hour)}", f"{days.en}, {AT_HOUR.en.format(hour=hour)}")
    reasons = tuple(contact.REASONS[reason] for reason in one["reasons"])
    return Advice(one["identity"], CHANNELS[one["channel"]], contact.ABOUT[one["about"]], tuple(one["topics"]), when, one["sure"], reasons)


def _conflict(one: Mapping[str, Any], zone: tzinfo) -> Conflict:
    check, sides = BY_KEY[one["check"]], (one["one"], one["other"])
    values = [Text(_value(side, "pl", zone), _value(side, "en", zone)) for side in sides]
    said = Text(*(text.format(one=values[0].say(language), other=values[1].say(language)) for text, language in zip(check.conflict, ("pl", "en"), strict=True)))
    labels = [TRAITS[side["trait"]][1].label for side in sides]
    both = tuple((label, value, side["confidence"], side["n"]) for label, value, side in zip(labels, values, sides, strict=True))
    return Conflict(check.label, said, both)


def _value(side: Mapping[str, Any], language: Language, zone: tzinfo) -> str:
    key, value = side["trait"], side["value"]
    if key in ("geo.powiat", "place.home", "place.work") and isinstance(value, str):
        name = poland().powiat_name(value)
        return f"{name} ({value})" if name else value
    if key == "rhythm.hist":
        return f"{round(value['office'] * 100)}%"
    if key in ("device.work_private_guess", BY_PLACE):
        return ", ".join(f"{device_named(one['device'], language)} {USES[one['use']].say(language)}" for one in value)
    if TRAITS[key][1].value_type == "share":
        return f"{round(value * 100)}%"
    return shown(value, language, zone, TRAITS[key][1].words)
