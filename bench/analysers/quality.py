"""Record quality on 1,000 records spoiled in known ways, beside what libraries alone find; and the speed of the checks."""

import random
from collections.abc import Callable
from datetime import date
from time import perf_counter, process_time

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from bench.result import Result
from cegla.profile.rules.record import COMMON_DOMAINS, checked
from cegla.reference.places import poland
from cegla.reference.words import WORDS

Record = dict[str, str]
SURNAMES = (
    "Nowak Kowalski Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski Jankowski Mazur Krawczyk Piotrowski Grabowski "
    "Pawłowski Michalski Król Wieczorek Jabłoński Wróbel Majewski Olszewski Stępień Malinowski Jaworski Adamczyk Dudek Nowicki Pająk Górski Sikora"
).split()  # fmt: skip
MEN = "Jan Piotr Tomasz Paweł Michał Marcin Łukasz Grzegorz Józef Stanisław Rafał Jakub Wojciech Mateusz".split()
WOMEN = "Anna Maria Katarzyna Małgorzata Agnieszka Barbara Ewa Krystyna Zofia Elżbieta Joanna Żaneta Łucja".split()
CITIES = (
    ("30-059", "Kraków"), ("00-950", "Warszawa"), ("50-001", "Wrocław"), ("80-001", "Gdańsk"), ("61-001", "Poznań"), ("90-001", "Łódź"), ("20-001", "Lublin"),
)  # fmt: skip
MAILBOXES = ("gmail.com", "wp.pl", "onet.pl", "interia.pl", "o2.pl", "outlook.com", "icloud.com", "firma-krakow.pl", "sklep-rower.pl", "politechnika.edu.pl")
SPOILED, CLEAN = 1_000, 1_000
TODAY = date(2026, 11, 26)


def run() -> list[Result]:
    """Detection, false alarms and repairs, with a count of each way of spoiling; the libraries alone; records a second."""
    dice = random.Random(17)
    clean = [record(dice) for _ in range(CLEAN)]
    alarms = [(one, found) for one in clean for found in [wrong(one)] if found]
    caught = right = mendable = alone = 0
    missed: dict[str, int] = {}
    ways = list(WAYS)
    for number in range(SPOILED):
        whole = record(dice)
        way = ways[number % len(ways)]
        spoiled = whole | WAYS[way](dice, whole)
        if spoiled == whole:
            raise SystemExit(f"{way} did not spoil {whole}")
        touched = {name for name in whole if spoiled[name] != whole[name]}
        found = checked(spoiled, TODAY, poland())
        caught += any(not found[name].valid for name in touched)
        if all(found[name].valid for name in touched):
            missed[way] = missed.get(way, 0) + 1
        alone += by_libraries(spoiled)
        proposed = {name: found[name].meant for name in touched if found[name].meant}
        mendable += bool(proposed)
        right += bool(proposed) and all(meant == whole[name] for name, meant in proposed.items())
    for one, found in alarms[:5]:
        print(f"  false alarm: {found} in {one}")
    print(f"  missed: {missed or 'none'}; repairs proposed for {mendable} of {SPOILED}")
    began = perf_counter()
    many = [record(dice) for _ in range(20_000)]
    made, busy = perf_counter(), process_time()
    for one in many:
        checked(one, TODAY, poland())
    speed = len(many) / (process_time() - busy)
    note = f"{SPOILED} spoiled in {len(ways)} ways, {CLEAN} clean; made from seed 17 in {made - began:.1f} s"
    return [
        Result("record quality: spoiled records found", round(100 * caught / SPOILED, 1), "%", "≥ 98 %", caught >= 0.98 * SPOILED, note),
        Result("record quality: false alarms", round(100 * len(alarms) / CLEAN, 1), "%", "≤ 1 %", len(alarms) <= 0.01 * CLEAN, note),
        Result("record quality: repairs that are right", round(100 * right / mendable, 1), "%", "≥ 95 %", right >= 0.95 * mendable, f"{mendable} proposed"),
        Result("record quality: anchor, email-validator and phonenumbers alone", round(100 * alone / SPOILED, 1), "%", "below", alone < caught, note),
        Result("record quality: speed", round(speed), "records/s", "≥ 5,000", speed >= 5_000, "20,000 different records; seconds of one core"),
    ]  # fmt: skip


def wrong(one: Record) -> list[str]:
    """Names of fields that are said to be wrong, with the reason."""
    return [f"{name} {found.reason}" for name, found in checked(one, TODAY, poland()).items() if not found.valid]


def by_libraries(one: Record) -> bool:
    """Whether the two libraries, as they come, find anything wrong."""
    try:
        validate_email(one["email"], check_deliverability=False)
        return not phonenumbers.is_valid_number(phonenumbers.parse(one["phone"], "PL"))
    except (EmailNotValidError, phonenumbers.NumberParseException):
        return True


def record(dice: random.Random) -> Record:
    """A record as a careful person fills it in."""
    woman = dice.random() < 0.5
    given, surname = dice.choice(WOMEN if woman else MEN), dice.choice(SURNAMES)
    if woman and surname.endswith("ki"):
        surname = surname[:-1] + "a"
    postcode, city = dice.choice(CITIES)
    nip = valid_nip(dice)
    plain = f"{given}.{surname}{dice.randrange(100)}".lower().translate(str.maketrans("ąćęłńóśźż", "acelnoszz"))
    return {
        "first_name": given, "last_name": surname, "gender": "K" if woman else "M", "email": f"{plain}@{dice.choice(MAILBOXES)}",
        "phone": f"{dice.choice((500, 512, 601, 606, 662, 693, 721, 790, 887))} {dice.randrange(100, 1000)} {dice.randrange(100, 1000)}",
        "postcode": postcode, "city": city, "birthday": f"{dice.randrange(1940, 2008)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 28):02d}", "nip": nip,
    }  # fmt: skip


def valid_nip(dice: random.Random) -> str:
    """Ten digits with the right check digit."""
    while True:
        digits = [int(one) for one in f"{dice.randrange(111, 999)}{dice.randrange(10**6):06d}"]
        check = sum(weight * digit for weight, digit in zip((6, 5, 7, 2, 3, 4, 5, 6, 7), digits, strict=True)) % 11
        if check < 10:
            return "".join(map(str, digits)) + str(check)


def _slip(dice: random.Random, whole: Record) -> Record:
    """One slip of the finger in the domain of a common mailbox, so that it is no known domain."""
    mailbox = whole["email"].split("@")[0]
    domain = dice.choice(("gmail.com", "interia.pl", "outlook.com", "icloud.com", "hotmail.com", "onet.pl"))
    name, _, ending = domain.partition(".")
    while True:
        at = dice.randrange(1, len(name))
        spoiled = dice.choice((name[:at] + name[at + 1 :], name[:at] + name[at] + name[at:], name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]))
        spoiled += f".{ending}"
        if spoiled != domain and spoiled not in COMMON_DOMAINS and not WORDS.is_free_mail(spoiled):
            whole["email"] = f"{mailbox}@{domain}"
            return {"email": f"{mailbox}@{spoiled}"}


def _broken(encoding: str) -> Callable[[random.Random, Record], Record]:
    def spoil(dice: random.Random, whole: Record) -> Record:
        whole["city"], whole["postcode"] = "Łódź", "90-001"
        return {"city": "".join(_decoded(byte, encoding) for byte in "Łódź".encode())}

    return spoil


def _decoded(byte: int, encoding: str) -> str:
    return bytes([byte]).decode(encoding, "ignore") or chr(byte)


def _exchanged(dice: random.Random, whole: Record) -> Record:
    whole["last_name"] = "Kowalska" if whole["gender"] == "K" else "Kowalski"
    return {"first_name": whole["last_name"], "last_name": whole["first_name"]}


def _ending(dice: random.Random, whole: Record) -> Record:
    mailbox = whole["email"].split("@")[0]
    whole["email"] = f"{mailbox}@gmail.com"
    return {"email": f"{mailbox}@gmail.{dice.choice(('con', 'cmo', 'cm', 'comm'))}"}


WAYS: dict[str, Callable[[random.Random, Record], Record]] = {
    "slip in a domain": _slip,
    "slip in an ending": _ending,
    "no @": lambda dice, whole: {"email": whole["email"].replace("@", "(at)")},
    "space in an address": lambda dice, whole: {"email": whole["email"].replace("@", " @")},
    "throw-away mailbox": lambda dice, whole: {"email": "x1@" + dice.choice(("mailinator.com", "niepodam.pl", "koszmail.pl", "guerrillamail.com"))},
    "digit missing in a phone": lambda dice, whole: {"phone": whole["phone"][:-1]},
    "digit too many in a phone": lambda dice, whole: {"phone": whole["phone"] + "1"},
    "e-mail and phone exchanged": lambda dice, whole: {"phone": whole["email"], "email": whole["phone"]},
    "names exchanged": _exchanged,
    "city and postcode exchanged": lambda dice, whole: {"city": whole["postcode"], "postcode": whole["city"]},
    "postcode of another city": lambda dice, whole: {"postcode": dice.choice([code for code, city in CITIES if city != whole["city"]])},
    "postcode without a digit": lambda dice, whole: {"postcode": whole["postcode"][:-1]},
    "UTF-8 read as Windows-1250": _broken("cp1250"),
    "UTF-8 read as Windows-1252": _broken("cp1252"),
    "UTF-8 read as ISO 8859-2": _broken("iso8859-2"),
    "a sign in its place": lambda dice, whole: {"last_name": whole["last_name"][:2] + "\ufffd" + whole["last_name"][3:]},
    "wrong check digit": lambda dice, whole: {"nip": whole["nip"][:-1] + str((int(whole["nip"][-1]) + dice.randrange(1, 10)) % 10)},
    "two digits exchanged": lambda dice, whole: {"nip": _exchange(whole["nip"])},
    "birthday to come": lambda dice, whole: {"birthday": "2031-05-05"},
    "a day that is not": lambda dice, whole: {"birthday": "1990-02-31"},
    "shouted": lambda dice, whole: {"last_name": whole["last_name"].upper()},
    "a placeholder": lambda dice, whole: {"first_name": dice.choice(("xxx", "test", "brak", "-"))},
    "digits in a name": lambda dice, whole: {"first_name": whole["first_name"] + "12"},
    "the other gender": lambda dice, whole: {"gender": "M" if whole["gender"] == "K" else "K"},
}


def _exchange(nip: str) -> str:
    place = next(at for at in range(9) if nip[at] != nip[at + 1])
    return nip[:place] + nip[place + 1] + nip[place] + nip[place + 2 :]


