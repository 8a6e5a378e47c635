"""Clicks on the pages of the shop: what the script of the site would tell of them, made from the pages of the simulated visits.

A click keeps the page's person, device and consent, so that it is known exactly when the page is. Nobody's truth depends on it.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from random import Random
from typing import Any

from demo.visits import Sent

CLICKED_SHARE = 0.4  #: of pages
#: Element, its tag, its middle on the page (shares of width and height) and how often it is what is clicked.
OF_ANY_PAGE = (
    ("header > nav.menu > a", "a", 0.42, 0.03, 6), ("header form.search > input", "input", 0.74, 0.03, 2), ("footer.site > a", "a", 0.3, 0.97, 1),
)  # fmt: skip
OF_A_PRODUCT = (
    ("main > form.product > button.add-to-cart", "button", 0.78, 0.34, 6), ("main div.gallery > img", "img", 0.3, 0.3, 5),
    ("main div.description > p", "p", 0.3, 0.7, 1),
)  # fmt: skip
OF_A_LIST = (
    ("main ul.products > li.card > a", "a", 0.5, 0.45, 8), ("aside.filters > label", "label", 0.12, 0.3, 3), ("main div.banner > a", "a", 0.5, 0.12, 2),
)  # fmt: skip
HEIGHT = 2_400


def clicks_on(history: Iterable[Sent], seed: int) -> Iterator[Sent]:
    """The clicks on the pages of a history, some seconds behind each."""
    dice = Random(f"{seed}/clicks")
    for page in history:
        if _is_page(page) and dice.random() < CLICKED_SHARE:
            yield from _clicked(page, dice)


def _is_page(sent: Sent) -> bool:
    """A page whose script was allowed to tell of it; nothing is told of clicks otherwise."""
    if not (isinstance(sent.event, dict) and sent.event.get("context", {}).get("consent", {}).get("categoryPreferences", {}).get("analytics")):
        return False
    return sent.place == "site" and sent.event.get("type") == "page" and "url" in sent.event.get("properties", {})


def _clicked(page: Sent, dice: Random) -> Iterator[Sent]:
    path = page.event["properties"].get("path", "/")
    rows = (*OF_ANY_PAGE, *(OF_A_PRODUCT if path.count("/") > 1 or "/p" in path else OF_A_LIST))
    element, tag, across, down, _ = dice.choices(rows, [row[-1] for row in rows])[0]
    is_phone = "Mobile" in page.user_agent
    x, y = (round(min(max(dice.gauss(0.5, 0.18), 0.0), 1.0), 3) for _ in range(2))
    told = {
        "element": element, "tag": tag, "x": x, "y": y, "page_x": round(min(max(across + (x - 0.5) * 0.1, 0.0), 1.0), 3),
        "page_y": round(HEIGHT * min(max(down + (y - 0.5) * 0.02, 0.0), 1.0)), "page_height": HEIGHT, "viewport": "phone" if is_phone else "desktop",
    }  # fmt: skip
    upset = tag in ("p", "img") and dice.random() < 0.15
    for number in range(3 if upset else 1):
        signs = ({"dead": True} if upset else {}) | ({"rage": True} if number == 2 else {})
        yield _event(page, page.at + timedelta(seconds=6 + 0.3 * number), number, {**told, **signs})


def _event(page: Sent, at: Any, number: int, properties: dict[str, Any]) -> Sent:
    kept = {name: page.event[name] for name in ("anonymousId", "userId", "context") if name in page.event}
    stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    name = f"{page.event['messageId']}-click-{number}"
    event = kept | {"type": "track", "event": "Element Clicked", "messageId": name, "timestamp": stamp, "properties": properties}
    return Sent(at, page.place, event, page.user_agent)
