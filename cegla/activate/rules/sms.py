"""Text messages: in which alphabet a text travels, into how many parts it falls, and what that costs; and the text without Polish letters.

GSM 03.38 (3GPP TS 23.038): 160 characters of the 7-bit alphabet alone, 153 in a part of several; else UCS-2, 70 and 67. A few
signs take two places, and none of the eighteen Polish letters is in the alphabet, ó included: one ą makes 160 into 70.
"""

import re
from dataclasses import dataclass
from typing import Literal
from unicodedata import category, normalize

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
TWICE = frozenset("\f^{}\\[~]|€")
ALONE = {"gsm-7": 160, "ucs-2": 70}
TOGETHER = {"gsm-7": 153, "ucs-2": 67}
_PLAIN = str.maketrans("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ„”“’‘–—\u00a0", "acelnoszzACELNOSZZ\"\"\"''-- ") | {ord("…"): "..."}
#: A word that asks by itself, whatever follows shortly; or one that does so only when it stands alone: "nie mogę się doczekać!" is no refusal.
_STOP = re.compile(
    r"\W*(?:(?:(?:prosz[eę]|chc[eę])\W+(?:(?:o|mnie|si[eę])\W+)?)?"
    r"(?:st[oó]p|s\W+t\W+o\W+p|stop\W*(?:sms|all)|wypisz(?:cie)?|wypisa[cć]|wypisanie|wypisuj[eę]|rezygnuj[eę]|rezygnacja|zrezygnowa[cć]|unsubscribe)\b.{0,60}"
    r"|(?:koniec|nie|end|quit|cancel)\W*)\Z",
    re.IGNORECASE | re.DOTALL,
)
Encoding = Literal["gsm-7", "ucs-2"]


@dataclass(frozen=True)
class Cut:
    """How a text travels: `places` in its alphabet (7-bit characters or UTF-16 units), `parts` that are paid for, `left` in the last part.

    `blamed` are the characters that forced UCS-2, in their order, each once.
    """

    encoding: Encoding
    places: int
    parts: int
    left: int
    blamed: tuple[str, ...] = ()

    def price_micros(self, part_micros: int) -> int:
        """What it costs at a price for a part, in millionths of the currency."""
        return self.parts * part_micros


def cut(text: str) -> Cut:
    """Into how many parts a text falls. A sign of two places is never cut in two, nor is an emoji of two UTF-16 units."""
    blamed = tuple(dict.fromkeys(letter for letter in text if letter not in BASIC and letter not in TWICE))
    encoding: Encoding = "ucs-2" if blamed else "gsm-7"
    widths = [_width(letter, encoding) for letter in text]
    places = sum(widths)
    if places <= ALONE[encoding]:
        return Cut(encoding, places, 1, ALONE[encoding] - places, blamed)
    room, parts, used = TOGETHER[encoding], 1, 0
    for width in widths:
        if used + width > room:
            parts, used = parts + 1, 0
        used += width
    return Cut(encoding, places, parts, room - used, blamed)


def plain(text: str) -> str:
    """The text with Polish letters as their bare ones and typographic signs as those of a typewriter; what else is foreign stays."""
    whole = normalize("NFC", text)  # some keyboards write ą as an a and its tail
    return (whole if len(whole) < len(text) else text).translate(_PLAIN)


def asks_to_stop(text: str) -> bool:
    """Whether a reply means that its writer wants no more: STOP, and the words people write instead."""
    return _STOP.match("".join(sign for sign in normalize("NFKC", text) if category(sign) != "Cf")) is not None


def _width(letter: str, encoding: Encoding) -> int:
    if encoding == "gsm-7":
        return 2 if letter in TWICE else 1
    return 2 if ord(letter) > 0xFFFF else 1
