"""What the simulated shop sells: hand-made ceramics and brick decor. Prices are in grosze."""

from dataclasses import dataclass
from typing import NamedTuple

SHOP_HOST = "sklep.gliniane-podworko.test"
SHOP_URL = f"https://{SHOP_HOST}"
FREE_SHIPPING_FROM = 20_000
SHIPPING = 1_499


@dataclass(frozen=True)
class Category:
    """A shelf of the shop; `slug` is its place in the address."""

    slug: str
    name: str


@dataclass(frozen=True)
class Product:
    """A thing for sale. `weight` says how often people pick it within its category."""

    id: str
    name: str
    category: Category
    price: int
    weight: float

    @property
    def path(self) -> str:
        """Its page in the shop."""
        return f"/{self.category.slug}/{self.id}"


class Entry(NamedTuple):
    """A way into the shop: the referrer and what the address carries."""

    referrer: str
    query: str
    weight: float


CATEGORIES = (
    Category("kubki", "Kubki i filiżanki"),
    Category("talerze", "Talerze i misy"),
    Category("wazony", "Wazony"),
    Category("doniczki", "Doniczki"),
    Category("swieczniki", "Świeczniki"),
    Category("kafle", "Kafle ręcznie malowane"),
    Category("cegly", "Cegły ozdobne"),
    Category("dzbanki", "Dzbanki i imbryki"),
)

_SHELVES: dict[str, tuple[tuple[str, int], ...]] = {
    "kubki": (
        ("Kubek szkliwiony Mgła", 4900),
        ("Kubek ręcznie toczony Rdza", 5900),
        ("Filiżanka z podstawką Śnieg", 6900),
        ("Kubek z uchem Dwa Kciuki", 6400),
        ("Czarka do herbaty Mech", 3900),
        ("Kubek dziecięcy Jeż", 4500),
        ("Zestaw 4 kubków Cztery Pory", 21900),
    ),
    "talerze": (
        ("Talerz obiadowy Piasek", 5500),
        ("Talerz deserowy Piasek", 3900),
        ("Misa sałatkowa Głęboka", 12900),
        ("Miseczka na oliwki", 2400),
        ("Patera na ciasto Biała", 15900),
        ("Półmisek owalny Fala", 11900),
        ("Zestaw obiadowy dla dwojga", 34900),
    ),
    "wazony": (
        ("Wazon wysoki Trzcina", 18900),
        ("Wazon kula Kamień", 13900),
        ("Wazonik na jeden kwiat", 4200),
        ("Wazon podłogowy Kolumna", 45900),
        ("Wazon ścienny Kieszeń", 9900),
    ),
    "doniczki": (
        ("Doniczka z podstawką S", 3400),
        ("Doniczka z podstawką M", 5200),
        ("Doniczka z podstawką L", 8900),
        ("Osłonka wisząca Kropla", 7900),
        ("Skrzynka na zioła", 11900),
        ("Doniczka na nóżkach Taboret", 14900),
    ),
    "swieczniki": (
        ("Świecznik Most", 6900),
        ("Świecznik pojedynczy Gałązka", 3600),
        ("Lampion ażurowy Gwiazdy", 9400),
        ("Podgrzewacz do olejków", 5900),
    ),
    "kafle": (
        ("Kafel malowany Pawie Oko", 1900),
        ("Kafel malowany Chaber", 1900),
        ("Kafel malowany Rybak", 2200),
        ("Panel 6 kafli Łąka", 12900),
        ("Dekor ścienny Słońce", 8900),
    ),
    "cegly": (
        ("Cegła ozdobna Rozbiórka, sztuka", 890),
        ("Cegła licówka cięta, m²", 16900),
        ("Podpórka do książek z cegły", 7900),
        ("Doniczka z cegły klinkierowej", 6400),
        ("Świecznik z cegły Stary Mur", 5400),
        ("Stolik z cegły i dębu", 69900),
    ),
    "dzbanki": (("Dzbanek na wodę Źródło", 13900), ("Imbryk do herbaty Sowa", 16900), ("Mlecznik Kropka", 4400), ("Karafka z korkiem Wiśnia", 12400)),
}

PRODUCTS: tuple[Product, ...] = tuple(
    Product(f"{category.slug[:3].upper()}-{number:03d}", name, category, price, 1.0 / number)
    for category in CATEGORIES
    for number, (name, price) in enumerate(_SHELVES[category.slug], 1)
)
BY_CATEGORY: dict[str, tuple[Product, ...]] = {
    category.slug: tuple(product for product in PRODUCTS if product.category is category) for category in CATEGORIES
}

ENTRIES = (
    Entry("", "", 30),
    Entry("https://www.google.com/", "", 26),
    Entry("https://www.google.com/", "?utm_source=google&utm_medium=cpc&utm_campaign=ceramika-reczna", 12),
    Entry("https://www.facebook.com/", "?utm_source=facebook&utm_medium=social&utm_campaign=jesienny-stol", 9),
    Entry("https://www.instagram.com/", "", 8),
    Entry("https://pl.pinterest.com/", "", 6),
    Entry("https://chatgpt.com/", "", 3),
    Entry("https://blog-wnetrza.test/cegla-w-salonie", "", 3),
    Entry("https://poczta.onet.pl/", "?utm_source=newsletter&utm_medium=email&utm_campaign=nowosci", 3),
)

SEARCHES = (
    "kubek",
    "prezent",
    "wazon biały",
    "doniczka duża",
    "cegła rozbiórkowa",
    "kafle kuchnia",
    "imbryk",
    "świecznik",
    "talerze komplet",
    "prezent dla mamy",
)
