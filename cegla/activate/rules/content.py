"""What is in a message: the fields it reads, its links, its plain-text twin."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape, unescape
from html.parser import HTMLParser

from cegla.activate.rules.liquid import held, put_back
from cegla.vocabulary.text import Language, Text

#: The roots a template may read; what lies below `person` and `content` is data.
ROOTS: dict[str, Text] = {
    "person": Text(
        "osoba: imię, miasto, cechy z profilu; także segments, daypart, weekday, viewed_products, abandoned_products, together_products",
        "the person: first name, city, traits of the profile; also segments, daypart, weekday, viewed_products, abandoned_products, together_products",
    ),
    "content": Text("treści kampanii: produkty, kody, odnośniki", "the campaign's own content: products, codes, links"),
    "data": Text("dane, które podał sklep, tylko w wiadomościach do jednej osoby", "what the shop gave, in messages to one person only"),
    "feeds": Text("katalogi: listy produktów według nazwy katalogu", "catalogs: lists of products by the name of their feed"),
    "shop": Text("sklep: nazwa nadawcy", "the shop: the sender's name"),
    "campaign": Text("kampania: nazwa", "the campaign: its name"),
    "unsubscribe_url": Text("adres wypisania się", "where to unsubscribe"),
    "preferences_url": Text("adres strony z wyborem wiadomości i zgodami", "where to choose messages and see consents"),
}
NO_WAY_OUT = Text("W treści nie ma odnośnika do wypisania się: {{ unsubscribe_url }}.", "The content has no link to unsubscribe: {{ unsubscribe_url }}.")
_OUTPUT = re.compile(r"\{\{-?\s*(person\.[\w.]+)((?:\s*\|[^}]*)?)\s*-?\}\}")
_FALLBACK = re.compile(r"""\{\{[^{}]*?\|\s*default:\s*(["'])(.*?)\1[^{}]*?\}\}""")
_HREF = re.compile(r"""(<a\b[^>]*?\bhref=")(https?://[^"]+)(")""", re.IGNORECASE)
_LINK = re.compile(r"""(<a\b[^>]*?\bhref=")([^"]+)("[^>]*>)""", re.IGNORECASE)
_MARK = "display:inline-block;margin:0 6px 0 0;padding:0 6px;border-radius:9px;font:bold 12px/18px sans-serif;box-shadow:0 0 0 2px #ffffff;"
_HOT, _COLD = "background:#9c3520;color:#ffffff;", "background:#e7e1da;color:#4a423d;"
_SPEAKS = re.compile(r"""<html\b[^>]*?\slang=["']?(pl|en)\b""", re.IGNORECASE)
_UNSUBSCRIBE = re.compile(r"\{\{-?\s*unsubscribe_url\b")


HOURS = {"morning": range(5, 11), "day": range(11, 17), "evening": range(17, 22)}  #: of `person.daypart`; night is the rest


def daypart(hour: int) -> str:
    """The daypart of an hour, 0 to 23."""
    return next((name for name, hours in HOURS.items() if hour in hours), "night")


def without_fallback(template: str) -> set[str]:
    """The fields of the person, as person.NAME, that a template prints somewhere with nothing to say in their place."""
    return {name for name, filters in _OUTPUT.findall(template) if "default" not in filters}


def warnings(subject: str, mjml: str, fields: Iterable[str]) -> list[Text]:
    """What a careful person would tell the author: fields nobody fills, fields without a fallback, no way to unsubscribe."""
    found = [Text(f"Pole {field} nie istnieje.", f"There is no field {field}.") for field in fields if field.split(".")[0] not in ROOTS]
    for name, filters in _OUTPUT.findall(subject + mjml):
        if "default" not in filters:
            found.append(Text(f"Pole {name} nie ma wartości zapasowej (| default: …).", f"The field {name} has no fallback (| default: …)."))
    if not _UNSUBSCRIBE.search(mjml):
        found.append(NO_WAY_OUT)
    return list(dict.fromkeys(found))


def spoken(template: str) -> str:
    """A short template as people read it in a list: each field as its fallback, or as dots; tags are gone."""
    said = _FALLBACK.sub(lambda found: found.group(2), template)
    return " ".join(re.sub(r"\{%.*?%\}", "", re.sub(r"\{\{.*?\}\}", "…", said)).split())


def with_signed_links(html: str, sign: Callable[[str], str], untouched: str | tuple[str, ...]) -> str:
    """The HTML with the address of every link replaced by `sign(address)`, but for those beginning with `untouched`."""

    def replaced(found: re.Match[str]) -> str:
        address = unescape(found.group(2))
        return found.group(0) if address.startswith(untouched) else found.group(1) + sign(address) + found.group(3)

    return _HREF.sub(replaced, html)


def shared_links(pieces: Iterable[str | None]) -> frozenset[str]:
    """The addresses of the links of a letter's HTML that stand in the pieces that are the same for everybody."""
    return frozenset(unescape(found.group(2)) for piece in pieces if piece is not None for found in _HREF.finditer(piece))


def with_counted_links(pieces: Sequence[str | None], sign: Callable[[str], str], trap: str) -> list[str | None]:
    """The pieces of a letter's HTML with the links that are the same for everybody signed, and the one that nobody sees.

    Personal pieces (None) are not touched: the number of clicks on a link that one person alone was given would say whose they are.
    """
    made = [piece if piece is None else with_signed_links(piece, sign, untouched=()) for piece in pieces]
    if made == list(pieces):
        return made  # nothing is counted, so there is nothing to tell scanners apart for, and the trap would lead nowhere
    last = next((number for number in reversed(range(len(made))) if "</body>" in (made[number] or "")), None)
    return made if last is None else [*made[:last], with_trap(made[last] or "", trap), *made[last + 1 :]]


def with_clicks(html: str, clicks: Mapping[str, tuple[int, int, int]], untouched: tuple[str, ...]) -> str:
    """The HTML with a mark beside every link: clicks and people, and behind a plus clicks that are nobody's, by its address; one that was not followed says 0.

    Those beginning with `untouched` are never counted, so they have no mark: nothing known is not nobody.
    """

    def marked(found: re.Match[str]) -> str:
        if unescape(found.group(2)).startswith(untouched):
            return found.group(0)
        count, people, nobodys = clicks.get(unescape(found.group(2)), (0, 0, 0))
        said = " ".join([*([f"{count} / {people}"] if count else []), *([f"+{nobodys}"] if nobodys else [])]) or "0"
        return f'{found.group(0)}<span style="{_MARK}{_COLD if said == "0" else _HOT}">{said}</span>'

    return _LINK.sub(marked, html)


def with_trap(html: str, url: str) -> str:
    """The HTML with a link that no reader sees, hears or reaches by keyboard: who follows it is a scanner."""
    place = html.rfind("</body>")
    line = f'<a href="{escape(url, quote=True)}" tabindex="-1" aria-hidden="true" style="display:none"></a>'
    return html[:place] + line + html[place:] if place >= 0 else html + line


def language_of(html: str) -> Language | None:
    """The language a letter says it is in, which is where its `<mjml lang="pl">` ends up; None when it says none of ours."""
    said = _SPEAKS.search(html)
    return None if said is None else "pl" if said[1].lower() == "pl" else "en"


def with_preferences(html: str, url: str, words: str) -> str:
    """The HTML with the link to the recipient's preferences at its end, where the author left it out."""
    if url in html:
        return html
    place = html.rfind("</body>")
    line = preferences_line(url, words)
    return html + line if place < 0 else html[:place] + line + html[place:]


def preferences_line(url: str, words: str) -> str:
    """The link to the recipient's preferences as the last line of a letter."""
    return f'<p style="margin:16px;text-align:center;font:13px/20px sans-serif"><a href="{escape(url)}" style="color:#655b54">{escape(words)}</a></p>'


def text_with_preferences(text: str, url: str, words: str) -> str:
    """The text part with the same link, where the author left it out."""
    return text if url in text else text.rstrip() + text_line(url, words)


def text_line(url: str, words: str) -> str:
    """The link to the recipient's preferences at the end of a text part."""
    return f"\n\n{words}: {url}\n"


def plain_text(html: str) -> str:
    """The text part of an HTML template: paragraphs, list items, and addresses after their links. Liquid tags stay."""
    markup, tags = held(html)
    reader = _TextReader()
    reader.feed(markup)
    reader.close()
    lines = [re.sub(r"[ \t\u00a0]+", " ", line).strip() for line in "".join(reader.parts).split("\n")]
    return put_back(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), tags) + "\n"


class _TextReader(HTMLParser):
    """Collects text; skips what is not shown."""

    SILENT = frozenset({"style", "script", "head", "title"})
    VOID = frozenset({"br", "hr", "img", "input", "meta", "link", "col", "source", "wbr"})
    BREAKS = frozenset({"p", "div", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0
        self._hidden: list[str] = []
        self._link = ""
        self._link_starts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in self.SILENT:
            self._silent += 1
        elif self._hidden or re.search(r"display:\s*none", given.get("style", "")):
            self._hidden += [tag] if tag not in self.VOID else []
        elif tag == "br":
            self.parts.append("\n")
        elif tag in self.BREAKS:
            self.parts.append("\n\n" if tag in ("p", "h1", "h2", "h3") else "\n")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag == "a":
            self._link, self._link_starts = given.get("href", ""), len(self.parts)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.SILENT:
            self._silent = max(0, self._silent - 1)
        elif self._hidden:
            if self._hidden[-1] == tag:
                self._hidden.pop()
        elif tag == "a" and self._link:
            shown = "".join(self.parts[self._link_starts :]).strip()
            if self._link != shown and not self._link.startswith("#"):
                self.parts.append(f" ({self._link})")
            self._link = ""
        elif tag in self.BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent and not self._hidden:
            self.parts.append(re.sub(r"\s+", " ", data))
