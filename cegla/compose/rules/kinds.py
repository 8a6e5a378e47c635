"""The kinds of blocks: one row for each, with the fields of its form. Form, drawing, reference page and tests are made from these rows."""

from dataclasses import dataclass

from cegla.vocabulary.text import Text

NOTHING = Text("", "")

@dataclass(frozen=True)
class Field:
    """One field of a form. `kind` is line, text, address, image, choice, number, color, snippet, feed or switch; `example` is what a new block holds."""

    key: str
    label: Text
    kind: str = "line"
    example: Text = NOTHING
    choices: tuple[tuple[str, Text], ...] = ()
    hint: Text | None = None


@dataclass(frozen=True)
class Kind:
    """One kind of block."""

    key: str
    label: Text
    about: Text
    fields: tuple[Field, ...]


def same(text: str) -> Text:
    """A text that is the same in both languages."""
    return Text(text, text)


SIDES = (("left", Text("do lewej", "left")), ("center", Text("na środku", "centered")), ("right", Text("do prawej", "right")))
YES = (("yes", Text("tak", "yes")), ("", Text("nie", "no")))
MARKUP = Text(
    "Akapity dzieli pusty wiersz. **grubo**, *kursywą*, [odnośnik](https://…), „- ” zaczyna punkt listy.",
    "An empty line ends a paragraph. **bold**, *slanted*, [a link](https://…), “- ” begins an item of a list.",
)
ADDRESS = Text("https://… albo pole, na przykład {{ product.link }}", "https://… or a field, such as {{ product.link }}")
COLUMN_COUNT = 3


def _column(number: int) -> tuple[Field, ...]:
    pl, en = f"Kolumna {number}: ", f"Column {number}: "
    shown = number < COLUMN_COUNT
    return (
        Field(f"image_{number}", Text(f"{pl}obraz", f"{en}image"), "image"),
        Field(f"alt_{number}", Text(f"{pl}opis obrazu", f"{en}what the image shows")),
        Field(f"title_{number}", Text(f"{pl}nagłówek", f"{en}heading"), example=Text("Nagłówek", "Heading") if shown else Text("", "")),
        Field(f"text_{number}", Text(f"{pl}tekst", f"{en}text"), "text", Text("Kilka słów.", "A few words.") if shown else Text("", "")),
        Field(f"label_{number}", Text(f"{pl}napis przycisku", f"{en}button's words")),
        Field(f"address_{number}", Text(f"{pl}adres", f"{en}address"), "address"),
    )


SOURCES = (
    ("feed", Text("z katalogu", "from the catalog")),
    ("viewed", Text("ostatnio oglądane przez osobę", "lately viewed by the person")),
    ("abandoned", Text("zostawione w koszyku", "left in the cart")),
    ("together", Text("kupowane razem z tym, co osoba kupiła", "bought together with what the person bought")),
)
NETWORKS = ("Facebook", "Instagram", "YouTube", "TikTok", "LinkedIn", "Pinterest", "X")

BLOCKS: dict[str, Kind] = {
    row.key: row
    for row in (
        Kind(
            "heading",
            Text("Nagłówek", "Heading"),
            Text("tytuł listu albo części", "the title of the letter or of a part"),
            (
                Field("text", Text("Nagłówek", "Heading"), example=Text("Nowości tego tygodnia", "New this week")),
                Field(
                    "level",
                    Text("Wielkość", "Size"),
                    "choice",
                    same("1"),
                    (("1", Text("duży", "large")), ("2", Text("średni", "medium")), ("3", Text("mały", "small"))),
                ),
                Field("side", Text("Ułożenie", "Alignment"), "choice", same("left"), SIDES),
            ),
        ),
        Kind(
            "text",
            Text("Tekst", "Text"),
            Text("akapity, listy, odnośniki", "paragraphs, lists, links"),
            (
                Field(
                    "text",
                    Text("Tekst", "Text"),
                    "text",
                    Text(
                        'Dzień dobry{% if person.first_name %}, {{ person.first_name | default: "" }}{% endif %}!\n\nZobacz, co mamy w tym tygodniu.',
                        'Hello{% if person.first_name %}, {{ person.first_name | default: "" }}{% endif %}!\n\nSee what we prepared this week.',
                    ),
                    hint=MARKUP,
                ),
                Field("side", Text("Ułożenie", "Alignment"), "choice", same("left"), SIDES),
            ),
        ),
        Kind(
            "image",
            Text("Obraz", "Image"),
            Text("obraz z biblioteki albo spod adresu", "an image of the library or at an address"),
            (
                Field("image", Text("Obraz", "Image"), "image", same("")),
                Field("alt", Text("Opis dla tych, którzy go nie widzą", "What it shows, for those who do not see it")),
                Field("address", Text("Dokąd prowadzi", "Where it leads"), "address", hint=ADDRESS),
                Field("width", Text("Szerokość w pikselach", "Width in pixels"), "number", same("536")),
            ),
        ),
        Kind(
            "button",
            Text("Przycisk", "Button"),
            Text("jedno działanie", "one thing to do"),
            (
                Field("label", Text("Napis", "Words"), example=Text("Zobacz nowości", "See what is new")),
                Field("address", Text("Dokąd prowadzi", "Where it leads"), "address", same("https://example.com/"), hint=ADDRESS),
                Field("side", Text("Ułożenie", "Alignment"), "choice", same("left"), SIDES),
                Field("color", Text("Kolor (pusty: kolor listu)", "Color (empty: the letter's)"), "color"),
            ),
        ),
        Kind(
            "columns",
            Text("Kolumny", "Columns"),
            Text("dwie albo trzy obok siebie, na telefonie pod sobą", "two or three side by side, one under another on a phone"),
            (*(field for number in range(1, COLUMN_COUNT + 1) for field in _column(number)),),
        ),
        Kind(
            "divider",
            Text("Linia", "Line"),
            Text("oddziela części", "keeps parts apart"),
            (
                Field("color", Text("Kolor", "Color"), "color", same("#e5ded7")),
                Field("width", Text("Grubość w pikselach", "Thickness in pixels"), "number", same("1")),
            ),
        ),
        Kind(
            "spacer",
            Text("Odstęp", "Space"),
            Text("puste miejsce", "room"),
            (Field("height", Text("Wysokość w pikselach", "Height in pixels"), "number", same("24")),),
        ),
        Kind(
            "social",
            Text("Sieci społecznościowe", "Social networks"),
            Text("odnośniki do profili, bez obcych ikon", "links to profiles, without anybody's icons"),
            (
                *(Field(network.lower(), same(network), "address") for network in NETWORKS),
                Field("side", Text("Ułożenie", "Alignment"), "choice", same("center"), SIDES),
            ),
        ),
        Kind(
            "products",
            Text("Produkty", "Products"),
            Text("z katalogu albo z historii osoby", "from the catalog or the person's history"),
            (
                Field("source", Text("Skąd", "From where"), "choice", same("feed"), SOURCES),
                Field(
                    "feed",
                    Text("Katalog (i wyjście awaryjne, gdy osoba nie ma takich produktów)", "Catalog (also when the person has no such products)"),
                    "feed",
                ),
                Field("category", Text("Tylko kategoria", "Only the category")),
                Field("count", Text("Ile", "How many"), "number", same("3")),
                Field(
                    "fallback",
                    Text("Gdy osoba nie ma takich produktów", "When the person has no such products"),
                    "choice",
                    same("feed"),
                    (("feed", Text("pokaż z katalogu", "show the catalog's")), ("", Text("ukryj blok", "hide the block"))),
                ),
                Field("title", Text("Nagłówek nad produktami", "Heading above them")),
                Field("label", Text("Napis odnośnika", "Words of the link"), example=Text("Zobacz", "See")),
            ),
        ),
        Kind(
            "footer",
            Text("Stopka", "Footer"),
            Text("części wymagane prawem: kto pisze, dlaczego, jak zrezygnować", "what the law demands: who writes, why, how to leave"),
            (
                Field("company", Text("Nazwa firmy", "Company"), example=Text("Nazwa firmy", "Company name")),
                Field(
                    "postal",
                    Text("Adres i numery (NIP, KRS)", "Address and numbers"),
                    "text",
                    Text("ul. Przykładowa 1, 00-001 Warszawa", "1 Example Street, Warsaw"),
                ),
                Field(
                    "why",
                    Text("Dlaczego odbiorca to dostaje", "Why the recipient gets this"),
                    "text",
                    Text("Piszemy, bo zgodziłaś lub zgodziłeś się na wiadomości od nas.", "We write because you agreed to messages from us."),
                ),
                Field("leave", Text("Napis: rezygnacja", "Words: leave"), example=Text("Wypisz się", "Unsubscribe")),
                Field("choose", Text("Napis: wybór wiadomości", "Words: choose"), example=Text("Wybierz, co dostajesz", "Choose what you get")),
            ),
        ),
        Kind(
            "snippet",
            Text("Wstawka", "Snippet"),
            Text("wspólne bloki; zmiana wstawki trafia do wszystkich szkiców", "shared blocks; a change of the snippet reaches every draft"),
            (Field("snippet", Text("Która", "Which"), "snippet"),),
        ),
        Kind(
            "code",
            Text("Własny MJML", "MJML of your own"),
            Text("sekcja pisana ręcznie", "a section written by hand"),
            (
                Field(
                    "mjml",
                    Text("MJML (sekcje)", "MJML (sections)"),
                    "text",
                    same("<mj-section>\n  <mj-column>\n    <mj-text>MJML</mj-text>\n  </mj-column>\n</mj-section>"),
                ),
            ),
        ),
    )
}
