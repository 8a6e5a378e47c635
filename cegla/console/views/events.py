"""Events as people read them: a name in the visitor's language and one line of what matters."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from cegla.vocabulary.text import Text

NAMES: dict[str, Text] = {
    "Page Viewed": Text("Strona obejrzana", "Page viewed"),
    "Screen Viewed": Text("Ekran obejrzany", "Screen viewed"),
    "Product Viewed": Text("Produkt obejrzany", "Product viewed"),
    "Product List Viewed": Text("Lista produktów obejrzana", "Product list viewed"),
    "Products Searched": Text("Wyszukiwanie produktów", "Products searched"),
    "Product Added": Text("Produkt w koszyku", "Product added to cart"),
    "Product Removed": Text("Produkt wyjęty z koszyka", "Product removed from cart"),
    "Cart Viewed": Text("Koszyk obejrzany", "Cart viewed"),
    "Checkout Started": Text("Zamawianie rozpoczęte", "Checkout started"),
    "Order Completed": Text("Zamówienie złożone", "Order completed"),
    "Order Refunded": Text("Zwrot", "Order refunded"),
    "Order Cancelled": Text("Zamówienie anulowane", "Order cancelled"),
    "Page Left": Text("Strona opuszczona", "Page left"),
    "Element Clicked": Text("Kliknięcie na stronie", "Click on the page"),
    "Site Searched": Text("Wyszukiwanie na stronie", "Search on the site"),
    "Outbound Link Clicked": Text("Przejście na inną stronę", "Link to another site"),
    "File Downloaded": Text("Pobranie pliku", "File downloaded"),
    "Form Submitted": Text("Wysłanie formularza", "Form submitted"),
    "Signed In": Text("Logowanie", "Signed in"),
    "Signed Up": Text("Rejestracja", "Signed up"),
    "identify": Text("Dane osoby", "Data of a person"),
    "Identify": Text("Przedstawienie się", "Identified"),
    "Group": Text("Przypisanie do firmy", "Assigned to an account"),
    "Alias": Text("Połączenie identyfikatorów", "Identifiers linked"),
    "Segment Consent Preference Updated": Text("Zmiana zgód", "Consents changed"),
    "Email Sent": Text("Wiadomość wysłana", "Message sent"),
    "Email Delivered": Text("Wiadomość doręczona", "Message delivered"),
    "Email Bounced": Text("Wiadomość odbita", "Message bounced"),
    "Email Link Clicked": Text("Kliknięcie w wiadomości", "Link in a message clicked"),
    "Email Unsubscribed": Text("Wypisanie z wiadomości", "Unsubscribed"),
    "SMS Sent": Text("SMS wysłany", "Text message sent"),
    "SMS Delivered": Text("SMS doręczony", "Text message delivered"),
    "SMS Bounced": Text("SMS niedoręczony", "Text message not delivered"),
    "SMS Replied": Text("Odpowiedź na SMS", "Reply to a text message"),
    "Push Sent": Text("Powiadomienie wysłane", "Notification sent"),
    "Push Bounced": Text("Powiadomienie niedoręczone", "Notification not delivered"),
    "Unsubscribed": Text("Wypisanie z wiadomości", "Unsubscribed"),
}
MONEY = ("Order Completed", "Order Refunded")
TELLING = (
    "name", "product", "product_name", "query", "category", "title", "file", "host", "form", "element", "campaign", "subject", "plan", "sku", "product_id",
)  # fmt: skip


@dataclass(frozen=True)
class EventLine:
    """One event in a list. `dot` colours the timeline: money, message or nothing."""

    event_id: int
    person_id: int
    name: Text
    occurred_at: datetime
    about: str
    value_micros: int | None
    currency: str | None
    dot: str


def event_name(name: str) -> Text:
    """The name in both languages; unknown names stay as they were sent."""
    return NAMES.get(name, Text(name, name))


def line(event: Any) -> EventLine:
    """One line from an event of the history."""
    dot = "money" if event.name in MONEY else "message" if event.name.startswith("Email") or event.name == "Unsubscribed" else ""
    return EventLine(event.event_id, event.person_id, event_name(event.name), event.occurred_at, about(event), event.value_micros, event.currency, dot)


def about(event: Any) -> str:
    """What matters about an event: the order, the product or the page, and where it came from."""
    said: list[str] = []
    if event.order_id:
        said.append(f"#{event.order_id}")
    said += [str(event.properties[key]) for key in TELLING if isinstance(event.properties.get(key), (str, int))][:1]
    products = event.properties.get("products")
    if isinstance(products, list):
        names = [str(one.get("name") or one.get("product_id") or "") for one in products[:3] if isinstance(one, dict)]
        said += [", ".join(filter(None, names)) + (" …" if len(products) > 3 else "")]
    if not said:
        said += [event.page_title or event.page_path or ""]
    came = event.campaign_name or (event.referrer_host if event.referrer_kind not in (None, "direct", "internal") else None)
    return " · ".join(part[:120] for part in (*said, came, event.device_type if event.is_bot else None) if part)


def by_day(lines: Iterable[EventLine], zone: ZoneInfo) -> list[tuple[date, list[EventLine]]]:
    """Lines under their day in the shop's zone, in the order given."""
    return [(day, list(rows)) for day, rows in groupby(lines, key=lambda row: row.occurred_at.astimezone(zone).date())]
