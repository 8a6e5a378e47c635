"""How two people are compared: six comparisons, each with levels from "same" to "different".

A level weighs log2(m / u): `m` is how often it is seen between two records of one human, `u` between two humans (Fellegi and
Sunter 1969, "A Theory for Record Linkage"). The numbers are set here, not learned in an installation, so that the same
two people get the same answer everywhere; a frequent name weighs less, by its frequency among the people at hand.

Two humans of one household share a phone or a door far more often than chance says, and the more people there are, the
rarer a household is among all pairs, just as one human with two records is. So `u` of the contacts is given per household
and divided by the number of people; without that, spouses would look like duplicates in every large shop.
"""

from dataclasses import dataclass

from cegla.vocabulary.text import Text

VERSION = "likeness@1"
PROPOSED_FROM = 0.75  #: probability from which a pair is shown to a person
DUPLICATES_A_PERSON = 0.1  #: how many other records of the same human there are, before anything is compared


@dataclass(frozen=True)
class Level:
    """One degree of likeness; the first that holds counts. `frequency_of` names the column whose rare values weigh more."""

    key: str
    holds: str  #: a condition on the columns of `records.Row`, `_l` and `_r`
    m: float
    u: float
    says: Text
    frequency_of: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One thing that two people have in common or not. `unknown` is the condition under which it says nothing."""

    key: str
    label: Text
    unknown: str
    levels: tuple[Level, ...]
    other: Level
    of_household: bool = False  #: `u` counts households a person, see above


def _either_is_null(column: str) -> str:
    return f"{column}_l is null or {column}_r is null"


def _share(column: str) -> str:
    return f"len(list_intersect({column}_l, {column}_r)) > 0"


_SAME_DOOR = f"(home_l is not null and home_l = home_r) or ({_share('phones')})"

COMPARISONS: tuple[Comparison, ...] = (
    Comparison(
        "given", Text("Imię", "Given name"), _either_is_null("given"),
        (
            Level(
                "household", f"given_full_l = given_full_r and ({_SAME_DOOR})", 0.90, 0.005,
                Text("to samo imię, co rzadkie pod jednym dachem", "the same given name, which is rare under one roof"),
            ),
            Level("same", "given_l = given_r", 0.80, 0.015, Text("to samo imię", "the same given name"), frequency_of="given"),
            Level("diminutive", "given_full_l = given_full_r", 0.12, 0.012, Text("zdrobnienie tego samego imienia", "a short form of the same name")),
            Level("like", "jaro_winkler_similarity(given_l, given_r) >= 0.92", 0.05, 0.004, Text("podobne imię", "a similar given name")),
        ),
        Level("different", "", 0.03, 0.969, Text("inne imię", "another given name")),
    ),
    Comparison(
        "surname", Text("Nazwisko", "Surname"), _either_is_null("surname"),
        (
            Level(
                "household", f"surname_root_l = surname_root_r and ({_SAME_DOOR})", 0.90, 0.80,
                Text("to samo nazwisko, jak zwykle pod jednym dachem", "the same surname, as is usual under one roof"),
            ),
            Level("same", "surname_l = surname_r", 0.88, 0.001, Text("to samo nazwisko", "the same surname"), frequency_of="surname"),
            Level(
                "partly", "len(list_intersect(surname_parts_l, surname_parts_r)) > 0", 0.04, 0.0012,
                Text("część nazwiska ta sama, jak po ślubie", "a part of the surname is the same, as after a wedding"),
            ),
            Level("like", "jaro_winkler_similarity(surname_root_l, surname_root_r) >= 0.92", 0.05, 0.002, Text("podobne nazwisko", "a similar surname")),
        ),
        Level("different", "", 0.03, 0.9958, Text("inne nazwisko", "another surname")),
    ),
    Comparison(
        "birth", Text("Data urodzenia", "Date of birth"), _either_is_null("birth"),
        (
            Level("same", "birth_l = birth_r", 0.95, 0.00005, Text("ta sama data urodzenia", "the same date of birth")),
            Level("like", "damerau_levenshtein(birth_l, birth_r) <= 1", 0.03, 0.002, Text("data różni się jedną cyfrą", "the date differs by one digit")),
        ),
        Level("different", "", 0.02, 0.99795, Text("inna data urodzenia", "another date of birth")),
    ),
    Comparison(
        "email", Text("E-mail", "E-mail"), _either_is_null("emails"),
        (
            Level("same", _share("emails"), 0.10, 0.000001, Text("wspólny adres e-mail", "a shared e-mail address")),
            Level("box", _share("boxes"), 0.30, 0.004, Text("ta sama nazwa skrzynki u innego dostawcy", "the same mailbox name at another provider")),
        ),
        Level("different", "", 0.60, 0.995999, Text("inne adresy e-mail", "other e-mail addresses")),
    ),
    Comparison(
        "contact", Text("Telefon i adres", "Phone and address"), "(phones_l is null or phones_r is null) and (city_l is null or city_r is null)",
        (
            Level("both", f"{_share('phones')} and home_l = home_r", 0.27, 0.25, Text("ten sam telefon i mieszkanie", "the same phone and home")),
            Level("phone", _share("phones"), 0.28, 0.2, Text("ten sam telefon", "the same phone")),
            Level("home", "home_l = home_r", 0.20, 0.9, Text("to samo mieszkanie", "the same home")),
        ),
        Level("different", "", 0.25, 0.0, Text("inny telefon i adres", "another phone and address")),
        of_household=True,
    ),
    Comparison(
        "city", Text("Miejscowość", "Town"), f"{_either_is_null('city')} or {_SAME_DOOR}",
        (Level("same", "city_l = city_r", 0.85, 0.03, Text("ta sama miejscowość", "the same town"), frequency_of="city"),),
        Level("different", "", 0.15, 0.97, Text("inna miejscowość", "another town")),
    ),
)  # fmt: skip

#: Only pairs that agree on one of these are compared at all. Lists are compared value by value.
CANDIDATES: tuple[tuple[str, ...], ...] = (
    ("surname_root", "given_full"),
    ("birth", "given_full"),
    ("birth", "surname_root"),
    ("home", "given_full"),
    ("phones",),
    ("boxes",),
)
LISTS = frozenset({"phones", "emails", "boxes"})


def chance(comparison: Comparison, level: Level, people: int) -> float:
    """How often two different humans among `people` show this level."""
    if not comparison.of_household:
        return level.u
    of_all = [min(one.u / max(people, 10), 0.3) for one in comparison.levels]
    return 1.0 - sum(of_all) if level is comparison.other else of_all[comparison.levels.index(level)]


def prior(people: int) -> float:
    """How likely two people drawn at random are one human."""
    return min(2 * DUPLICATES_A_PERSON / max(people, 10), 0.01)
