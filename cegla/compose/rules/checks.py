"""What a careful person looks for before a letter leaves: size, inbox line, links, images, the way out, and habits that filters dislike.

Each check is a row with its reason. They are rules of thumb that anybody can read here, not the verdict of a filter: filters judge the sender's
reputation first, and nobody outside knows their weights.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html.parser import HTMLParser

from cegla.compose.rules import links
from cegla.compose.rules.markup import LIQUID
from cegla.vocabulary.text import Text

CLIP_BYTES = 102 * 1024  #: Gmail shows no more of a letter's HTML and hides the rest, footer included, behind "View entire message"
SUBJECT_SEEN, PREHEADER_SEEN = 40, 90  #: about what a phone and a desk show of them
SHORTENERS = frozenset("bit.ly tinyurl.com goo.gl t.co ow.ly is.gd cutt.ly rebrand.ly buff.ly tiny.cc rb.gy".split())
LOUD = (
    "gratis",
    "za darmo",
    "100%",
    "natychmiast",
    "zarób",
    "kliknij tutaj",
    "ostatnia szansa",
    "wygrałeś",
    "pilne",
    "free!!!",
    "act now",
    "click here",
    "winner",
    "cash",
    "guaranteed",
    "urgent",
    "risk free",
    "no obligation",
)
FORBIDDEN = re.compile(r"<\s*(script|form|iframe|object|embed|input|video|audio)\b", re.IGNORECASE)
GOOD, NOTE, WARN, BAD = "good", "info", "warn", "bad"


@dataclass(frozen=True)
class Draft:
    """What is checked: a letter as its author wrote it, compiled, with its parts."""

    subject: str
    preheader: str
    html: str
    text: str
    marketing: bool = True

    @cached_property
    def page(self) -> "Page":
        """What its reader sees."""
        return Page(self.html)


@dataclass(frozen=True)
class Finding:
    """What a check says: how serious, what it saw, and why that matters."""

    key: str
    kind: str
    said: Text
    why: Text


Check = Callable[[Draft], Iterator[Finding]]


class Page(HTMLParser):
    """What of a letter a reader sees: its words, its links with their words, its images."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.anchors: list[tuple[str, str]] = []
        self.blind = self.pictures = 0
        self._silent, self._href, self._said = 0, "", ""
        self.feed(LIQUID.sub("x", html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in ("style", "head", "title"):
            self._silent += 1
        elif tag == "a":
            self._href, self._said = given.get("href", ""), ""
        elif tag == "img":
            self.pictures += 1
            self.blind += "alt" not in given
            self._said += given.get("alt", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "head", "title"):
            self._silent = max(0, self._silent - 1)
        elif tag == "a":
            self.anchors.append((self._href, self._said.strip()))
            self._href = ""

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.words += data.split()
            self._said += data if self._href else ""


def size(draft: Draft) -> Iterator[Finding]:
    taken = len(draft.html.encode())
    kilobytes = f"{taken / 1024:.1f}"
    why = Text(
        "Gmail pokazuje najwyżej 102 kB HTML; resztę, ze stopką i rezygnacją, chowa za „Wyświetl całą wiadomość”. Dane osoby dodadzą trochę.",
        "Gmail shows 102 kB of HTML at most and hides the rest, footer and unsubscribe link included. A person's data add a little.",
    )
    kind = BAD if taken > CLIP_BYTES else WARN if taken > CLIP_BYTES * 0.85 else GOOD
    yield Finding("size", kind, Text(f"HTML ma {kilobytes.replace('.', ',')} kB ze 102 kB", f"the HTML has {kilobytes} kB of 102 kB"), why)


def inbox_line(draft: Draft) -> Iterator[Finding]:
    subject = LIQUID.sub("", draft.subject).strip()
    if not draft.subject.strip():
        yield Finding(
            "subject",
            BAD,
            Text("nie ma tematu", "there is no subject"),
            Text("Bez tematu list wygląda na pomyłkę.", "Without one the letter looks like a mistake."),
        )
    if len(subject) > 60:
        yield Finding(
            "subject_length",
            NOTE,
            Text(f"temat ma {len(subject)} znaków", f"the subject has {len(subject)} characters"),
            Text(f"Telefon pokaże około {SUBJECT_SEEN}; najważniejsze niech stoi na początku.", f"A phone shows about {SUBJECT_SEEN}; put what matters first."),
        )
    letters = [letter for letter in subject if letter.isalpha()]
    if len(letters) >= 8 and sum(letter.isupper() for letter in letters) > 0.6 * len(letters):
        yield Finding(
            "capitals",
            WARN,
            Text("temat krzyczy wielkimi literami", "the subject shouts in capitals"),
            Text(
                "Same wielkie litery to cecha, którą filtry liczą (SUBJ_ALL_CAPS w SpamAssassin).",
                "All capitals is a feature filters count (SUBJ_ALL_CAPS in SpamAssassin).",
            ),
        )
    if subject.count("!") > 1 or "$$" in subject:
        yield Finding(
            "exclamation",
            WARN,
            Text("w temacie jest więcej niż jeden wykrzyknik", "there is more than one exclamation mark in the subject"),
            Text("Tak piszą oszuści; filtry i ludzie to znają.", "So do frauds; filters and people know it."),
        )
    if re.match(r"\s*(re|fwd?|odp)\s*:", subject, re.IGNORECASE):
        yield Finding(
            "false_reply",
            BAD,
            Text("temat udaje odpowiedź", "the subject pretends to be a reply"),
            Text("Wprowadza w błąd, a to zakazana praktyka rynkowa.", "It misleads, which is a forbidden commercial practice."),
        )
    if not draft.preheader.strip():
        yield Finding(
            "preheader",
            NOTE,
            Text("nie ma zapowiedzi (preheadera)", "there is no preheader"),
            Text(
                "Obok tematu skrzynka pokaże pierwsze słowa listu, jakie by nie były.",
                "Beside the subject the inbox shows the letter's first words, whatever they are.",
            ),
        )


def way_out(draft: Draft) -> Iterator[Finding]:
    if not draft.marketing:
        return
    for part, where in ((draft.html, Text("w HTML", "in the HTML")), (draft.text, Text("w tekście", "in the text"))):
        if not re.search(r"\{\{-?\s*unsubscribe_url", part):
            yield Finding(
                "way_out",
                BAD,
                Text(f"nie ma odnośnika do rezygnacji {where.pl}", f"there is no link to unsubscribe {where.en}"),
                Text(
                    "Wycofanie zgody ma być tak łatwe jak jej udzielenie (RODO art. 7 ust. 3). Dodaj stopkę.",
                    "Withdrawing must be as easy as agreeing (GDPR art. 7(3)). Add a footer.",
                ),
            )


def addresses(draft: Draft) -> Iterator[Finding]:
    for link in links.links(draft.html):
        trouble = links.wrong(link.address)
        if trouble:
            yield Finding(
                "link",
                WARN,
                Text(f"{link.address or '(puste)'}: {trouble.pl}", f"{link.address or '(empty)'}: {trouble.en}"),
                Text("Odbiorca, który kliknie, zobaczy błąd.", "Whoever follows it sees an error."),
            )
        host = re.sub(r"^https?://([^/:?#]*).*", r"\1", link.address.lower(), flags=re.DOTALL)
        if host in SHORTENERS:
            yield Finding(
                "shortener",
                WARN,
                Text(f"skracacz adresów: {host}", f"a link shortener: {host}"),
                Text(
                    "Skracacze kryją cel i stoją na listach filtrów z powodu innych, którzy ich używają.",
                    "Shorteners hide where they lead and are on filters' lists because of others who use them.",
                ),
            )
        if link.address.startswith("http://"):
            yield Finding(
                "insecure",
                NOTE,
                Text(f"adres bez szyfrowania: {link.address}", f"an address without encryption: {link.address}"),
                Text("Przeglądarka może ostrzec odbiorcę.", "The browser may warn the recipient."),
            )


def appearances(draft: Draft) -> Iterator[Finding]:
    page = draft.page
    for href, said in page.anchors:
        shown = re.fullmatch(r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,})(?:/\S*)?", said.lower())
        real = re.match(r"https?://([^/:?#]+)", href.lower())
        if shown and real and real.group(1).removeprefix("www.") != shown.group(1).removeprefix("www."):
            yield Finding(
                "disguise",
                BAD,
                Text(f"odnośnik pokazuje {shown.group(1)}, a prowadzi do {real.group(1)}", f"a link shows {shown.group(1)} and leads to {real.group(1)}"),
                Text("Tak działa phishing; programy pocztowe ostrzegają i odrzucają.", "So does phishing; mail programs warn and refuse."),
            )
    if page.pictures and len(page.words) < 20:
        yield Finding(
            "picture_only",
            WARN,
            Text(f"prawie sam obraz: słów {len(page.words)}", f"almost only a picture: {len(page.words)} words"),
            Text(
                "Gdy obrazy są wyłączone, nie zostaje nic; spam często kryje treść w obrazie.",
                "With images off nothing is left; spam often hides its words in a picture.",
            ),
        )
    if page.blind:
        yield Finding(
            "alt",
            WARN,
            Text(f"obrazy bez opisu: {page.blind}", f"images without a description: {page.blind}"),
            Text(
                "Kto nie widzi obrazu, słyszy jego adres. Obraz ozdobny ma pusty opis.",
                "Whoever does not see it hears its address. A decoration has an empty description.",
            ),
        )


def habits(draft: Draft) -> Iterator[Finding]:
    words = f"{draft.subject} {' '.join(draft.page.words)}".lower()
    heard = [word for word in LOUD if word in words]
    if len(heard) >= 3:
        yield Finding(
            "loud",
            NOTE,
            Text("dużo słów z reklam: " + ", ".join(heard), "many words of advertisements: " + ", ".join(heard)),
            Text(
                "Jedno takie słowo nie szkodzi; wiele naraz ma list, który udaje.", "One of them does no harm; many at once is how letters look that pretend."
            ),
        )
    found = FORBIDDEN.search(draft.html)
    if found:
        yield Finding(
            "forbidden",
            BAD,
            Text(f"element <{found.group(1).lower()}>", f"an element <{found.group(1).lower()}>"),
            Text("Programy pocztowe usuwają skrypty i formularze, a filtry za nie karzą.", "Mail programs remove scripts and forms, and filters punish them."),
        )
    if len(draft.text.strip()) < 20:
        yield Finding(
            "text",
            WARN,
            Text("część tekstowa jest prawie pusta", "the text part is nearly empty"),
            Text("Zegarki, czytniki i część filtrów czytają właśnie ją.", "Watches, readers and some filters read just that."),
        )


CHECKS: Mapping[str, Check] = {"size": size, "inbox_line": inbox_line, "way_out": way_out, "addresses": addresses, "appearances": appearances, "habits": habits}
WEIGHT = {BAD: 0, WARN: 1, NOTE: 2, GOOD: 3}


def findings(draft: Draft) -> list[Finding]:
    """Everything the checks say, the serious first."""
    found = [one for check in CHECKS.values() for one in check(draft)]
    return sorted(dict.fromkeys(found), key=lambda one: WEIGHT[one.kind])


def cut(text: str, seen: int) -> str:
    """What a list of letters shows of a text."""
    calm = " ".join(text.split())
    return calm if len(calm) <= seen else calm[: seen - 1].rstrip() + "…"
