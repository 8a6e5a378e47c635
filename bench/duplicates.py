"""Likely duplicates among people whose truth is known: how many are found, how many of the proposals are right, how long it takes.

The people are made from one seed: households that share a surname, a phone, a door; namesakes; fathers and sons of one name.
One in twelve has a second record as shops get them: another address, a short form, a letter lost, a phone that changed.
Beside it, in the same run, what a shop does by hand: equal name and equal date of birth or phone.
"""

import argparse
import random
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

from bench.result import Result
from cegla.match.rules.names import FULL_FORMS
from cegla.match.rules.records import Row, comparable, row
from cegla.match.scoring import likely_duplicates
from cegla.vocabulary.identifiers import Identifier

_SHORT = {full: short for short, full in reversed(FULL_FORMS.items())}
WOMEN = (
    "Anna Maria Katarzyna Małgorzata Agnieszka Barbara Ewa Krystyna Elżbieta Magdalena Zofia Joanna Aleksandra Teresa Monika Danuta Natalia Karolina Julia "
    "Marta Dorota Jadwiga Janina Alicja Jolanta Grażyna Halina Iwona Paulina Beata Zuzanna Justyna Renata Hanna Wiktoria Urszula Sylwia Weronika Oliwia"
).split()
MEN = (
    "Piotr Krzysztof Andrzej Tomasz Jan Paweł Michał Marcin Stanisław Jakub Adam Marek Łukasz Grzegorz Mateusz Wojciech Mariusz Dariusz Maciej Zbigniew Rafał "
    "Jerzy Robert Szymon Kamil Jacek Józef Ryszard Tadeusz Dawid Janusz Henryk Artur Mirosław Sebastian Kacper Sławomir Przemysław Patryk Damian"
).split()
SURNAMES = (
    "Nowak Kowalski Wiśniewski Wójcik Kowalczyk Kamiński Lewandowski Zieliński Woźniak Szymański Dąbrowski Kozłowski Mazur Jankowski Kwiatkowski Wojciechowski "
    "Krawczyk Kaczmarek Piotrowski Grabowski Zając Pawłowski Król Michalski Wróbel Wieczorek Jabłoński Nowakowski Majewski Olszewski Dudek Stępień Jaworski "
    "Malinowski Adamczyk Pawlak Górski Nowicki Sikora Witkowski Rutkowski Walczak Baran Michalak Szewczyk Ostrowski Tomaszewski Pietrzak Zalewski Wróblewski"
).split()
SYLLABLES = (
    "ba bo bra cha cie czy da dro fi ga gło gra ha ja ka ko kra la lu ma mi mo na nie o pa pie ra ro sa sie so szy ta to tra wa wie wo za ze zie żu"
).split()
ENDINGS = "ski cki ak ek yk czyk owicz ewicz a o ński ik uk".split()
TOWNS = (
    "Warszawa Kraków Łódź Wrocław Poznań Gdańsk Szczecin Bydgoszcz Lublin Białystok Katowice Gdynia Częstochowa Radom Rzeszów Toruń Sosnowiec Kielce Gliwice "
    "Olsztyn Zabrze Bytom Zamość Ełk Żory Śrem Łomża Oława Świdnica Piła"
).split()
STREETS = (
    "Polna Leśna Słoneczna Krótka Szkolna Ogrodowa Lipowa Brzozowa Łąkowa Kwiatowa Kościuszki Mickiewicza Sienkiewicza Długa Cicha Zielona Lotnicza Żwirki"
).split()


@dataclass(frozen=True)
class Human:
    """Who somebody really is."""

    given: str
    surname: str
    birth: str
    phone: str
    email: str
    street: str
    postcode: str
    city: str


def humans(count: int, rng: random.Random) -> list[Human]:
    """People in households of one to five; a household shares its door, mostly its surname, often its phone."""
    rare = ["".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 3))).capitalize() + rng.choice(ENDINGS) for _ in range(count // 12)]
    made: list[Human] = []
    taken: set[str] = set()
    while len(made) < count:
        made += [_with_free_email(one, taken, rng) for one in _household(rng, rare)]
    return made[:count]


def _with_free_email(one: Human, taken: set[str], rng: random.Random) -> Human:
    """A mailbox belongs to one human; who comes later adds a number."""
    email = one.email
    while email in taken:
        email = email.replace("@", f"{rng.randrange(100)}@")
    taken.add(email)
    return replace(one, email=email)


def _household(rng: random.Random, rare: list[str]) -> list[Human]:
    town = min(int(rng.expovariate(0.15)), len(TOWNS) - 1)
    postcode = f"{town + 10:02d}-{rng.randrange(1_000):03d}"
    street, surname = f"{rng.choice(STREETS)} {rng.randint(1, 120)}/{rng.randint(1, 60)}", _surname(rng, rare)
    phone = _phone(rng)
    members: list[Human] = []
    for place in range(rng.choices((1, 2, 3, 4, 5), (30, 32, 18, 15, 5))[0]):
        woman = rng.random() < 0.5
        own = surname if place != 1 or rng.random() < 0.85 else _surname(rng, rare)
        given = _given(rng, woman, {one.given for one in members})
        if place > 1 and not woman and rng.random() < 0.03 and members[0].given in MEN:
            given = members[0].given  # a son called like his father
        year = rng.randint(1945, 1990) if place < 2 else rng.randint(1985, 2008)
        birth = f"{year}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
        own = own[:-1] + "a" if woman and own.endswith(("ski", "cki")) else own
        number = phone if place and rng.random() < 0.3 else (phone if place == 0 else _phone(rng))
        members.append(Human(given, own, birth, number, _email(given, own, year, rng), street, postcode, TOWNS[town]))
    return members


def _given(rng: random.Random, woman: bool, in_use: set[str]) -> str:
    """A given name nobody else of the household has."""
    while True:
        names = WOMEN if woman else MEN
        given = rng.choices(names, [1 / (rank + 4) for rank in range(len(names))])[0]
        if given not in in_use:
            return given


def _surname(rng: random.Random, rare: list[str]) -> str:
    return rng.choice(rare) if rng.random() < 0.6 else rng.choices(SURNAMES, [1 / (rank + 3) for rank in range(len(SURNAMES))])[0]


def _phone(rng: random.Random) -> str:
    return f"+48{rng.choice('5678')}{rng.randrange(10**8):08d}"


def _email(given: str, surname: str, year: int, rng: random.Random) -> str:
    plain = (f"{given}.{surname}" if rng.random() < 0.7 else f"{given[0]}{surname}").lower()
    return f"{plain}{rng.choice(('', str(year)[2:], str(rng.randrange(1_000))))}@{rng.choice(('poczta', 'mail', 'skrzynka', 'praca'))}.example.com"


def second_record(one: Human, rng: random.Random) -> Human:
    """The same human as another list has them. Something always changes, most often the e-mail address, never everything."""
    box, _, host = one.email.partition("@")
    changed = replace(one, email=f"{box}@inna.example.com" if rng.random() < 0.4 else f"{one.given[:2].lower()}{rng.randrange(10**6)}@{host}")
    if rng.random() < 0.20:
        changed = replace(changed, given=_SHORT.get(_plain(one.given), one.given).capitalize())
    if rng.random() < 0.25:
        changed = replace(changed, given=_plain(changed.given).capitalize(), surname=_plain(one.surname).upper())
    if rng.random() < 0.12:
        changed = replace(changed, surname=_mistyped(changed.surname, rng))
    if rng.random() < 0.06:
        changed = replace(changed, surname=f"{changed.surname}-{rng.choice(SURNAMES)}")
    if rng.random() < 0.05:
        changed = replace(changed, birth=changed.birth[:-1] + str(rng.randrange(10)))
    if rng.random() < 0.25:
        changed = replace(changed, phone=_phone(rng))
    if rng.random() < 0.20:
        changed = replace(changed, street=f"{rng.choice(STREETS)} {rng.randint(1, 120)}", postcode=f"{rng.randint(10, 80)}-{rng.randrange(1_000):03d}")
    return changed


def _plain(text: str) -> str:
    return text.lower().translate(str.maketrans("ąćęłńóśźż", "acelnoszz"))


def _mistyped(text: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(text) - 1)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :] if rng.random() < 0.5 else text[:place] + text[place + 1 :]


def declared(one: Human, rng: random.Random) -> dict[str, object]:
    """What a record of this human tells; each list lacks something."""
    told: dict[str, object] = {"first_name": one.given, "last_name": one.surname}
    if rng.random() < 0.6:
        told["birthday"] = one.birth
    if rng.random() < 0.8:
        told["address"] = {"street": f"ul. {one.street}", "postal_code": one.postcode, "city": one.city}
    elif rng.random() < 0.5:
        told["city"] = one.city
    if rng.random() < 0.9:
        told["phone"] = one.phone
    return told


def records(people: int, rng: random.Random) -> tuple[list[Row], set[tuple[int, int]]]:
    """Rows of `people` people and the pairs that are one human; person ids carry no order."""
    originals = humans(int(people / 1.08), rng)
    taken = {one.email for one in originals}
    told = list(enumerate(originals))
    for number in rng.sample(range(len(originals)), people - len(originals)):
        told.append((number, _with_free_email(second_record(originals[number], rng), taken, rng)))
    rng.shuffle(told)
    rows: list[Row] = []
    of_human: dict[int, list[int]] = {}
    for place, (number, one) in enumerate(told, start=1):
        rows.append(row(place, [Identifier("email", one.email)], declared(one, rng)))
        of_human.setdefault(number, []).append(place)
    return rows, {pair for places in of_human.values() for pair in combinations(sorted(places), 2)}


def by_hand(rows: list[Row]) -> set[tuple[int, int]]:
    """Pairs with the same names and the same date of birth or phone: the rule that shops use."""
    found: dict[tuple[object, ...], list[int]] = {}
    for one in rows:
        for key in _keys_by_hand(one):
            found.setdefault(key, []).append(one.person_id)
    return {pair for people in found.values() for pair in combinations(sorted(people), 2)}


def _keys_by_hand(one: Row) -> Iterator[tuple[object, ...]]:
    if one.birth:
        yield one.given, one.surname, one.birth
    for phone in one.phones or ():
        yield one.given, one.surname, phone


def main(argv: list[str] | None = None) -> list[Result]:
    """Make people, propose, compare with the truth."""
    options = argparse.ArgumentParser(prog="bench duplicates")
    options.add_argument("--people", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=7)
    chosen = options.parse_args(argv)
    rows, truth = records(chosen.people, random.Random(chosen.seed))
    started = time.perf_counter()
    proposed = likely_duplicates([one for one in rows if comparable(one)])
    seconds = time.perf_counter() - started
    found = {(pair.low, pair.high) for pair in proposed}
    precision, recall = len(found & truth) / max(len(found), 1), len(found & truth) / len(truth)
    hand = by_hand(rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    print(f"likely duplicates: {len(rows):,} people, {len(truth):,} pairs planted, seed {chosen.seed}")
    print(f"  {len(found):,} proposals, precision {precision:.3f} (reach ≥ 0.97), recall {recall:.3f} (reach ≥ 0.90)")
    print(f"  {seconds:.1f} s (reach ≤ 180), peak memory {peak:,.0f} MB, the made people included")
    by_rule = f"precision {len(hand & truth) / len(hand):.3f}, recall {len(hand & truth) / len(truth):.3f}"
    print(f"  beside it, equal names and equal date of birth or phone: {by_rule}")
    note = f"{len(rows):,} people, {len(truth):,} pairs planted"
    return [
        Result("likely duplicates, precision", precision, "", ">= 0.97", precision >= 0.97, note),
        Result("likely duplicates, recall", recall, "", ">= 0.90", recall >= 0.90, note),
        Result("likely duplicates, time", seconds, "s", "<= 180", seconds <= 180, note),
    ]


if __name__ == "__main__":
    main()
