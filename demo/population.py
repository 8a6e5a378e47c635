"""The people of the simulated shop, with everything about them that is true. Same seed, same people.

Names come from the commonest Polish ones at random; every address ends in `example.com` or `.test`, which nobody owns.
"""

import unicodedata
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

from demo.catalogue import CATEGORIES

BOUNCING_DOMAIN = "niedostarczalne.test"
TABLET_HOUSEHOLDS = 0.3  #: of pairs of people


class Persona(NamedTuple):
    """A kind of customer. Rates are per visit unless said."""

    key: str
    share: float  #: of all people
    visits_a_week: float
    buys: float
    basket: float  #: mean number of products in a basket
    refunds: float  #: per order
    registers: float  #: chance to make an account at the first order or visit that could lead to one
    favourites: int  #: how many categories the person looks at
    hours: str  #: key of HOURS


PERSONAS = (
    Persona("wierny", 0.16, 1.3, 0.22, 2.4, 0.03, 0.95, 3, "evening"),
    Persona("projektantka", 0.05, 2.2, 0.28, 6.0, 0.08, 1.0, 5, "office"),
    Persona("prezentowicz", 0.17, 0.5, 0.24, 1.8, 0.06, 0.55, 2, "lunch"),
    Persona("łowca okazji", 0.14, 1.8, 0.07, 1.6, 0.15, 0.7, 4, "evening"),
    Persona("ogląda", 0.30, 0.8, 0.01, 1.2, 0.02, 0.12, 3, "evening"),
    Persona("jednorazowy", 0.18, 0.3, 0.18, 1.3, 0.05, 0.35, 1, "weekend"),
)

#: How visits fall over the 24 hours of a Warsaw day.
HOURS: dict[str, tuple[float, ...]] = {
    "evening": (1, 0.4, 0.2, 0.1, 0.1, 0.3, 1, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 6, 8, 11, 13, 12, 8, 3),
    "office": (0.1, 0.1, 0.1, 0.1, 0.1, 0.3, 1, 4, 10, 12, 12, 11, 8, 10, 11, 9, 6, 3, 2, 2, 2, 2, 1, 0.4),
    "lunch": (0.3, 0.1, 0.1, 0.1, 0.1, 0.3, 1, 3, 4, 5, 6, 12, 14, 10, 5, 4, 5, 5, 5, 6, 6, 4, 2, 1),
    "weekend": (1, 0.5, 0.2, 0.1, 0.1, 0.2, 0.6, 1, 3, 6, 9, 10, 9, 8, 8, 8, 8, 7, 7, 7, 7, 6, 4, 2),
}
DAYS: dict[str, tuple[float, ...]] = {  # Monday first
    "evening": (1.0, 1.0, 1.0, 1.0, 0.8, 0.9, 1.3),
    "office": (1.3, 1.3, 1.2, 1.2, 1.0, 0.1, 0.1),
    "lunch": (1.0, 1.0, 1.1, 1.1, 1.1, 0.7, 0.7),
    "weekend": (0.3, 0.3, 0.3, 0.4, 0.8, 2.4, 2.2),
}

_WOMEN = (
    "Anna",
    "Katarzyna",
    "Maria",
    "Małgorzata",
    "Agnieszka",
    "Barbara",
    "Ewa",
    "Magdalena",
    "Zofia",
    "Joanna",
    "Aleksandra",
    "Monika",
    "Łucja",
    "Żaneta",
    "Hanna",
    "Julia",
)
_MEN = (
    "Jan",
    "Piotr",
    "Andrzej",
    "Krzysztof",
    "Tomasz",
    "Paweł",
    "Michał",
    "Marcin",
    "Jakub",
    "Łukasz",
    "Wojciech",
    "Stanisław",
    "Adam",
    "Grzegorz",
    "Rafał",
    "Święcisław",
)
_FAMILIES = (
    "Nowak",
    "Wójcik",
    "Kowalczyk",
    "Woźniak",
    "Mazur",
    "Krawczyk",
    "Kaczmarek",
    "Zając",
    "Król",
    "Wróbel",
    "Pawlak",
    "Sikora",
    "Baran",
    "Duda",
    "Szewczyk",
    "Pietrzak",
    "Marciniak",
    "Bąk",
    "Włodarczyk",
    "Gołąb",
    "Żak",
    "Ćwik",
    "Śliwa",
    "Łoś",
)
_CITIES = (
    ("Warszawa", 30),
    ("Kraków", 16),
    ("Wrocław", 12),
    ("Poznań", 10),
    ("Gdańsk", 9),
    ("Łódź", 8),
    ("Katowice", 6),
    ("Lublin", 4),
    ("Białystok", 3),
    ("Świdnica", 2),
)
_DOMAINS = ("example.com", "poczta.test", "dom.test")

_PHONES = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
)
_DESKTOPS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:142.0) Gecko/20100101 Firefox/142.0",
)
_TABLET = "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"


@dataclass(frozen=True)
class Device:
    """A browser. A shared one is used by several people, who sign in each time and never sign out."""

    anonymous_id: str
    user_agent: str
    shared: bool = False


@dataclass(frozen=True)
class Person:
    """One true person, known by `number`."""

    number: int
    persona: Persona
    first_name: str
    last_name: str
    gender: str
    email: str
    phone: str | None
    city: str
    user_id: str
    devices: tuple[Device, ...]
    favourites: tuple[str, ...]  #: category slugs, the dearest first
    allows_analytics: bool
    allows_email: bool  #: says yes when asked at the till or when making an account
    allows_tracking: bool
    withdraws_email: bool  #: thinks better of it later
    careless_page: bool  #: meets the old page template that ignores the banner
    mail_bounces: bool


def people(seed: int, count: int) -> list[Person]:
    """The shop's customers and visitors; some neighbors in the list share a tablet at home."""
    made = [_person(Random(f"{seed}/person/{number}"), seed, number) for number in range(count)]
    for first, second in zip(made[::2], made[1::2], strict=False):
        if Random(f"{seed}/household/{first.number}").uniform(0, 1) < TABLET_HOUSEHOLDS:
            tablet = Device(f"{seed}-dev-{first.number}-tablet", _TABLET, shared=True)
            for one in (first, second):
                made[one.number] = replace(one, devices=(*one.devices, tablet))
    return made


def _person(rng: Random, seed: int, number: int) -> Person:
    persona = rng.choices(PERSONAS, [row.share for row in PERSONAS])[0]
    gender = rng.choice("kkm")
    first, last = rng.choice(_WOMEN if gender == "k" else _MEN), rng.choice(_FAMILIES)
    bounces = rng.uniform(0, 1) < 0.03
    domain = BOUNCING_DOMAIN if bounces else rng.choice(_DOMAINS)
    devices = [Device(f"{seed}-dev-{number}-a", rng.choice(_PHONES if rng.uniform(0, 1) < 0.62 else _DESKTOPS))]
    if rng.uniform(0, 1) < 0.35:
        devices.append(Device(f"{seed}-dev-{number}-b", rng.choice(_DESKTOPS)))
    return Person(
        number=number,
        persona=persona,
        first_name=first,
        last_name=last,
        gender=gender,
        email=f"{plain(first)}.{plain(last)}.{number}@{domain}",
        phone=f"+48 {rng.randint(500, 899)} {rng.randint(100, 999)} {rng.randint(100, 999)}" if rng.uniform(0, 1) < 0.6 else None,
        city=rng.choices([name for name, _ in _CITIES], [weight for _, weight in _CITIES])[0],
        user_id=f"klient-{seed}-{number:05d}",
        devices=tuple(devices),
        favourites=tuple(category.slug for category in rng.sample(CATEGORIES, persona.favourites)),
        allows_analytics=rng.uniform(0, 1) < 0.86,
        allows_email=rng.uniform(0, 1) < 0.58,
        allows_tracking=rng.uniform(0, 1) < 0.6,
        withdraws_email=rng.uniform(0, 1) < 0.09,
        careless_page=rng.uniform(0, 1) < 0.3,
        mail_bounces=bounces,
    )


def plain(name: str) -> str:
    """A name without Polish letters, as people write it in an address."""
    return unicodedata.normalize("NFKD", name.lower().replace("ł", "l")).encode("ascii", "ignore").decode()
