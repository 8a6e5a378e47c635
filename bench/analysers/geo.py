"""Place: how near the truth the address of a line puts people, postcodes against the voivodeships they say themselves, and proxies.

Truth are autonomous systems whose name holds a city (`material/city_networks.tsv`): universities, city halls, local operators, so the figures are
optimistic for consumer lines in small towns, and nothing is said of IPv6. The anchor is the address database as it comes (DB-IP Lite), default point
of the country included. Every range of the pack counts by its addresses.
"""

import gzip
from ipaddress import ip_address, ip_network
from math import cos, hypot, radians
from pathlib import Path

import numpy as np

from bench.analysers._scores import DATA
from bench.result import Result
from cegla.reference.library import Library
from cegla.reference.pack import SHIPPED, read_columns
from cegla.reference.places import City, poland
from cegla.reference.ranges import Ranges

NEAR_KM = 25.0
SAMPLE = 400  #: networks of each list of proxies


def run() -> list[Result]:
    """Within 25 km and answered, beside the raw database; postcodes in their voivodeship; relays and data centres seen."""
    library = Library()
    return [*_cities(library), _postcodes(), *_proxies(library)]


def _cities(library: Library) -> list[Result]:
    truth = _truth()
    columns = read_columns(SHIPPED, "networks_pl")
    points, numbers = Ranges(columns, "place4"), Ranges(columns, "asn4")
    whole = answered = near = raw = 0
    networks = 0
    for first, last, value in zip(points.first.tolist(), points.last.tolist(), points.value.tolist(), strict=True):
        city = truth.get(numbers.at(first) or 0)
        if city is None:
            continue
        networks += 1
        size = last - first + 1
        away = _kilometres(city, float(columns["latitude"][value]) / 1_000, float(columns["longitude"][value]) / 1_000)
        whole += size
        raw += size * (away <= NEAR_KM)
        if library.network(str(ip_address(first + 1))).powiat is not None:
            answered += size
            near += size * (away <= NEAR_KM)
    right, said, anchor = near / answered, answered / whole, raw / whole
    note = f"{networks:,} ranges, {whole:,} addresses of {len(truth)} systems named after a city; DB-IP as it comes: {anchor:.1%}"
    return [
        Result("place: addresses put within 25 km, where answered", 100 * right, "%", ">= 94", right >= 0.94, note),
        Result("place: of them answered", 100 * said, "%", ">= 90", said >= 0.90,
            "the rest lies on the default point of the country, or is a mobile network"),
    ]  # fmt: skip


def _kilometres(city: City, latitude: float, longitude: float) -> float:
    return 111.2 * hypot(city.latitude - latitude, (city.longitude - longitude) * cos(radians(latitude)))


def _truth() -> dict[int, City]:
    """System → its city, the largest of the name."""
    largest: dict[str, City] = {}
    for city in poland().cities:
        if city.name not in largest or largest[city.name].population < city.population:
            largest[city.name] = city
    lines = (Path(__file__).parent / "material" / "city_networks.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return {int(number): largest[name] for name, numbers in rows for number in numbers.split()}


#: The first digit of a postcode is a postal district, and these are the voivodeships it reaches into (Poczta Polska).
DISTRICTS = {
    "0": "14", "1": "14 20 28", "2": "06 26 14", "3": "12 18 26", "4": "24 16", "5": "02", "6": "30 08 10", "7": "32 22 30 08", "8": "22 04 28",
    "9": "10 14 30",
}  # fmt: skip


def _postcodes() -> Result:
    """A weak check from outside: the postal district by a code's first digit, against the powiat that its point lies in."""
    found = [poland().postcode(f"{number // 1_000:02}-{number % 1_000:03}") for number in range(100_000)]
    known = [one for one in found if one is not None]
    right = sum(one.powiat is not None and one.powiat[:2] in DISTRICTS[one.code[0]].split() for one in known) / len(known)
    placed = sum(one.powiat is not None for one in known) / len(known)
    return Result("place: postcodes in a voivodeship of their district", 100 * right, "%", "report", True,
        f"{len(known):,} codes; {placed:.2%} lie in a powiat; districts are wider than voivodeships, so this finds gross errors alone")


def _proxies(library: Library) -> list[Result]:
    """Lists of the makers themselves. They are among the sources of the pack, so this says how faithful it is; what no list has cannot be seen."""
    folder = DATA / "analysers" / "x4bnet"
    if not folder.exists():
        return [Result("place: relays and data centres recognised", 0.0, "%", ">= 95", False, f"{folder} is missing")]
    results: list[Result] = []
    for name, file in (("Apple's relay", "vpn_apple.txt.gz"), ("Mullvad, PIA and Proton", ""), ("data centres", "datacenter_ipv4.txt.gz")):
        files = [file] if file else ["vpn_mullvadvpn.txt", "vpn_pia.txt.gz", "vpn_protonvpn.txt.gz"]
        lines = [line.partition("#")[0].strip() for one in files for line in _lines(folder / one)]
        nets = [ip_network(line, strict=False) for line in lines if line and ":" not in line]
        chosen = [nets[at] for at in np.random.default_rng(11).choice(len(nets), min(SAMPLE, len(nets)), replace=False)]
        answers = [library.network(str(net[net.num_addresses // 2])) for net in chosen]
        seen = sum(one.is_proxy or one.is_datacentre for one in answers) / len(chosen)
        note = f"{len(chosen)} of {len(nets):,} networks; the pack is made of such lists"
        results.append(Result(f"place: {name} recognised", 100 * seen, "%", ">= 95", seen >= 0.95, note))
    return results


def _lines(file: Path) -> list[str]:
    if file.suffix == ".gz":
        with gzip.open(file, "rt", encoding="utf-8") as text:
            return text.read().splitlines()
    return file.read_text(encoding="utf-8").splitlines()
