"""The filters of Liquid, as an author meets them: one row each, with an example. The reference page and its tests are made from these rows.

Filters of our own are defined here too: prices as they are written in Poland, and UTM parameters on an address from the data.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from cegla.vocabulary.text import Text

SIGNS = {"PLN": "zł", "EUR": "€", "USD": "$", "GBP": "£", "CZK": "Kč"}


class Filter(NamedTuple):
    """One filter: its name, what it does, and a template that shows it."""

    name: str
    does: Text
    example: str


def money(amount: object, currency: object = "zł") -> str:
    """1234.5 as "1 234,50 zł", the way prices are written in Polish; anything else stays as it is. A currency may be a code or a sign."""
    try:
        value = Decimal(str(amount)).quantize(Decimal("0.01"))
    except InvalidOperation:
        return "" if amount is None else str(amount)
    sign = SIGNS.get(str(currency), str(currency)) if isinstance(currency, str) and currency else "zł"
    return f"{value:,.2f}".replace(",", "\u00a0").replace(".", ",") + f"\u00a0{sign}"


def tagged(address: object, query: object) -> str:
    """An address with more parameters, before its fragment; one that has UTM parameters of its own stays as it is."""
    text = "" if address is None else str(address)
    if not text.lower().startswith(("http://", "https://")) or "utm_" in text:
        return text
    before, hash_sign, fragment = text.partition("#")
    joint = "?" if "?" not in before else "" if before.endswith(("?", "&")) else "&"
    return f"{before}{joint}{query}{hash_sign}{fragment}"


OWN: dict[str, Callable[..., Any]] = {"money": money, "tagged": tagged}

FILTERS: tuple[Filter, ...] = (
    Filter(
        "default", Text("wartość zapasowa, gdy pole jest puste", "a fallback where the field is empty"), '{{ person.first_name | default: "Drogi Kliencie" }}'
    ),
    Filter(
        "money",
        Text("cena po polsku; waluta kodem albo znakiem", "a price, the Polish way; currency as a code or a sign"),
        '{{ 1234.5 | money }}, {{ 9 | money: "EUR" }}',
    ),
    Filter(
        "tagged",
        Text("dopisuje parametry do adresu z danych", "adds parameters to an address from the data"),
        '{{ "https://sklep.pl/kubek" | tagged: "utm_source=newsletter" }}',
    ),
    Filter("date", Text("data w podanym układzie", "a date in a layout of your own"), '{{ "2026-11-26" | date: "%d.%m.%Y" }}'),
    Filter("upcase", Text("wielkie litery", "capitals"), '{{ "żółw" | upcase }}'),
    Filter("downcase", Text("małe litery", "small letters"), '{{ "ŁÓDŹ" | downcase }}'),
    Filter("capitalize", Text("pierwsza litera wielka", "the first letter as a capital"), '{{ "świeca" | capitalize }}'),
    Filter("truncate", Text("skraca do tylu znaków", "shortens to so many characters"), '{{ "Kubek porcelanowy" | truncate: 9 }}'),
    Filter("truncatewords", Text("skraca do tylu słów", "shortens to so many words"), '{{ "Kubek porcelanowy z uchem" | truncatewords: 2 }}'),
    Filter("strip", Text("usuwa odstępy z brzegów", "removes blanks at both ends"), '[{{ "  kubek " | strip }}]'),
    Filter("lstrip", Text("usuwa odstępy z początku", "removes blanks at the beginning"), '[{{ "  kubek " | lstrip }}]'),
    Filter("rstrip", Text("usuwa odstępy z końca", "removes blanks at the end"), '[{{ "  kubek " | rstrip }}]'),
    Filter("squish", Text("zwija odstępy do jednego", "makes one blank of many"), '[{{ "  dwa   słowa " | squish }}]'),
    Filter("strip_newlines", Text("usuwa końce wierszy", "removes line ends"), "{% capture t %}a\nb{% endcapture %}{{ t | strip_newlines }}"),
    Filter("newline_to_br", Text("końce wierszy jako <br>", "line ends as <br>"), "{% capture t %}a\nb{% endcapture %}{{ t | newline_to_br }}"),
    Filter("strip_html", Text("usuwa znaczniki HTML", "removes HTML tags"), '{{ "<b>kubek</b>" | strip_html }}'),
    Filter("escape", Text("znaki HTML jako tekst", "HTML characters as text"), '{{ "<b>" | escape }}'),
    Filter("escape_once", Text("to samo, ale nie dwa razy", "the same, never twice"), '{{ "1 &lt; 2 & 3" | escape_once }}'),
    Filter("escapejs", Text("znaki do skryptu", "characters for a script"), '{{ "a\'b" | escapejs }}'),
    Filter("url_encode", Text("tekst do adresu", "a text for an address"), '{{ "żółty kubek" | url_encode }}'),
    Filter("url_decode", Text("tekst z adresu", "a text from an address"), '{{ "%C5%BC" | url_decode }}'),
    Filter("append", Text("dokłada na końcu", "adds at the end"), '{{ "kubek" | append: ".jpg" }}'),
    Filter("prepend", Text("dokłada na początku", "adds at the beginning"), '{{ "kubek" | prepend: "mały " }}'),
    Filter("replace", Text("zamienia każde wystąpienie", "replaces every occurrence"), '{{ "a-b-c" | replace: "-", "+" }}'),
    Filter("replace_first", Text("zamienia pierwsze wystąpienie", "replaces the first occurrence"), '{{ "a-b-c" | replace_first: "-", "+" }}'),
    Filter("replace_last", Text("zamienia ostatnie wystąpienie", "replaces the last occurrence"), '{{ "a-b-c" | replace_last: "-", "+" }}'),
    Filter("remove", Text("usuwa każde wystąpienie", "removes every occurrence"), '{{ "a-b-c" | remove: "-" }}'),
    Filter("remove_first", Text("usuwa pierwsze wystąpienie", "removes the first occurrence"), '{{ "a-b-c" | remove_first: "-" }}'),
    Filter("remove_last", Text("usuwa ostatnie wystąpienie", "removes the last occurrence"), '{{ "a-b-c" | remove_last: "-" }}'),
    Filter("slice", Text("wycinek: od, ile", "a part: from, how many"), '{{ "kubek" | slice: 0, 3 }}'),
    Filter("split", Text("dzieli na listę", "makes a list"), '{{ "a,b,c" | split: "," | size }}'),
    Filter("join", Text("łączy listę", "joins a list"), '{{ "a,b,c" | split: "," | join: " i " }}'),
    Filter("size", Text("długość tekstu albo listy", "length of a text or a list"), '{{ "kubek" | size }}'),
    Filter("first", Text("pierwszy z listy", "the first of a list"), '{{ "a,b,c" | split: "," | first }}'),
    Filter("last", Text("ostatni z listy", "the last of a list"), '{{ "a,b,c" | split: "," | last }}'),
    Filter("reverse", Text("odwraca listę", "turns a list round"), '{{ "a,b,c" | split: "," | reverse | join: "" }}'),
    Filter("sort", Text("sortuje listę, także po polu", "sorts a list, also by a field"), '{{ "c,a,b" | split: "," | sort | join: "" }}'),
    Filter("sort_natural", Text("sortuje bez względu na wielkość liter", "sorts, capitals or not"), '{{ "b,A,c" | split: "," | sort_natural | join: "" }}'),
    Filter("uniq", Text("usuwa powtórzenia", "removes repeats"), '{{ "a,a,b" | split: "," | uniq | join: "" }}'),
    Filter("compact", Text("usuwa puste", "removes what is empty"), '{{ "a,b" | split: "," | compact | size }}'),
    Filter(
        "concat",
        Text("łączy dwie listy", "joins two lists"),
        '{% assign a = "a" | split: "," %}{% assign b = "b" | split: "," %}{{ a | concat: b | join: "" }}',
    ),
    Filter("map", Text("jedno pole z każdego", "one field of each"), '{{ feeds.main | map: "title" | join: ", " }}'),
    Filter(
        "where", Text("te, których pole ma wartość", "those whose field has a value"), '{{ feeds.main | where: "category", "Dom" | map: "title" | join: ", " }}'
    ),
    Filter(
        "reject",
        Text("bez tych, których pole ma wartość", "without those whose field has a value"),
        '{{ feeds.main | reject: "category", "Dom" | map: "title" | join: ", " }}',
    ),
    Filter(
        "find",
        Text("pierwszy, którego pole ma wartość", "the first whose field has a value"),
        '{% assign one = feeds.main | find: "category", "Dom" %}{{ one.title }}',
    ),
    Filter("find_index", Text("jego miejsce, licząc od 0", "its place, from 0"), '{{ feeds.main | find_index: "category", "Dom" }}'),
    Filter("has", Text("czy taki jest", "whether there is one"), '{{ feeds.main | has: "category", "Dom" }}'),
    Filter("sum", Text("suma listy albo pola", "sum of a list or a field"), '{{ feeds.main | sum: "price" }}'),
    Filter("plus", Text("dodaje", "adds"), "{{ 2 | plus: 3 }}"),
    Filter("minus", Text("odejmuje", "subtracts"), "{{ 5 | minus: 3 }}"),
    Filter("times", Text("mnoży", "multiplies"), "{{ 2 | times: 3 }}"),
    Filter("divided_by", Text("dzieli", "divides"), "{{ 7 | divided_by: 2.0 }}"),
    Filter("modulo", Text("reszta z dzielenia", "the rest of a division"), "{{ 7 | modulo: 2 }}"),
    Filter("abs", Text("bez znaku", "without its sign"), "{{ -3 | abs }}"),
    Filter("ceil", Text("w górę do całości", "up to a whole number"), "{{ 1.2 | ceil }}"),
    Filter("floor", Text("w dół do całości", "down to a whole number"), "{{ 1.8 | floor }}"),
    Filter("round", Text("zaokrągla do tylu miejsc", "rounds to so many places"), "{{ 1.256 | round: 2 }}"),
    Filter("at_least", Text("nie mniej niż", "no less than"), "{{ 2 | at_least: 5 }}"),
    Filter("at_most", Text("nie więcej niż", "no more than"), "{{ 9 | at_most: 5 }}"),
    Filter("base64_encode", Text("na base64", "to base64"), '{{ "kubek" | base64_encode }}'),
    Filter("base64_decode", Text("z base64", "from base64"), '{{ "a3ViZWs=" | base64_decode }}'),
    Filter("base64_url_safe_encode", Text("na base64 do adresów", "to base64 for addresses"), '{{ "a?b>c" | base64_url_safe_encode }}'),
    Filter("base64_url_safe_decode", Text("z base64 do adresów", "from base64 for addresses"), '{{ "YT9iPmM=" | base64_url_safe_decode }}'),
)

#: What the examples of the reference page read.
EXAMPLE_DATA: dict[str, Any] = {
    "person": {"first_name": ""},
    "feeds": {"main": [{"title": "Kubek", "category": "Kuchnia", "price": 39.9}, {"title": "Świeca", "category": "Dom", "price": 24.5}]},
}
