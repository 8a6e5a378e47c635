"""Countries: an ISO 3166-1 alpha-2 code out of what senders write: codes, English names, some Polish names and shop habits."""

from functools import lru_cache

_NAMES = {
    "AE": "united arab emirates|uae|zjednoczone emiraty arabskie", "AR": "argentina|argentyna", "AT": "austria|österreich", "AU": "australia",
    "BE": "belgium|belgia|belgique",
    "BG": "bulgaria|bułgaria", "BH": "bahrain|bahrajn", "BR": "brazil|brasil|brazylia", "BY": "belarus|białoruś", "CA": "canada|kanada",
    "CH": "switzerland|szwajcaria|schweiz|suisse",
    "CL": "chile", "CN": "china|chiny", "CY": "cyprus|cypr", "CZ": "czech republic|czechia|czechy|česko", "DE": "germany|niemcy|deutschland",
    "DK": "denmark|dania|danmark",
    "EE": "estonia", "EG": "egypt|egipt", "ES": "spain|hiszpania|españa", "FI": "finland|finlandia|suomi", "FR": "france|francja",
    "GB": "united kingdom|great britain|england|scotland|wales|uk|wielka brytania|anglia",
    "GE": "georgia|gruzja", "GR": "greece|grecja|el", "HK": "hong kong|hongkong", "HR": "croatia|chorwacja|hrvatska", "HU": "hungary|węgry|magyarország",
    "IE": "ireland|eire|irlandia",
    "IL": "israel|izrael", "IN": "india|indie", "IS": "iceland|islandia", "IT": "italy|włochy|italia", "JP": "japan|japonia",
    "KR": "south korea|korea|korea południowa", "LB": "lebanon|liban",
    "LT": "lithuania|litwa|lietuva", "LU": "luxembourg|luksemburg", "LV": "latvia|łotwa", "MA": "morocco|maroko", "MD": "moldova|mołdawia", "MT": "malta",
    "MX": "mexico|meksyk",
    "NL": "netherlands|the netherlands|holland|holandia|niderlandy|nederland", "NO": "norway|norwegia|norge", "NZ": "new zealand|nowa zelandia",
    "PL": "poland|polska|rzeczpospolita polska",
    "PT": "portugal|portugalia", "RO": "romania|rumunia", "RS": "serbia", "RU": "russia|rosja", "SA": "saudi arabia|arabia saudyjska",
    "SE": "sweden|szwecja|sverige", "SG": "singapore|singapur",
    "SI": "slovenia|słowenia", "SK": "slovakia|słowacja|slovensko", "TH": "thailand|tajlandia", "TR": "turkey|turcja|türkiye", "UA": "ukraine|ukraina",
    "US": "united states|united states of america|usa|stany zjednoczone",
    "VN": "vietnam|wietnam", "ZA": "south africa|rsa|republika południowej afryki",
}  # fmt: skip
_BY_NAME = {name: code for code, names in _NAMES.items() for name in names.split("|")}
_THREE = {
    "AUT": "AT", "AUS": "AU", "BEL": "BE", "BGR": "BG", "BRA": "BR", "CAN": "CA", "CHE": "CH", "CHN": "CN", "CYP": "CY", "CZE": "CZ", "DEU": "DE",
    "DNK": "DK", "ESP": "ES", "EST": "EE",
    "FIN": "FI", "FRA": "FR", "GBR": "GB", "GRC": "GR", "HRV": "HR", "HUN": "HU", "IRL": "IE", "ISL": "IS", "ITA": "IT", "JPN": "JP", "LTU": "LT",
    "LUX": "LU", "LVA": "LV", "MLT": "MT", "NLD": "NL",
    "NOR": "NO", "POL": "PL", "PRT": "PT", "ROU": "RO", "SVK": "SK", "SVN": "SI", "SWE": "SE", "TUR": "TR", "UKR": "UA",
}  # fmt: skip
_NO_COUNTRY = frozenset({"EU", "XX", "ZZ", "AP", "NA"})  # "NA" comes from spreadsheets far more often than from Namibia


@lru_cache(maxsize=4_096)
def country_code(text: str) -> str | None:
    """The code of a country written as a code or a name; None when it is not known for sure ("Unspecified")."""
    bare = " ".join(text.strip().lower().replace("_", " ").split())
    if found := _BY_NAME.get(bare):
        return found
    upper = bare.upper()
    if len(upper) == 3 and upper in _THREE:
        return _THREE[upper]
    return upper if len(upper) == 2 and upper.isascii() and upper.isalpha() and upper not in _NO_COUNTRY else None
