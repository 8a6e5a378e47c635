"""A small shop for the console's tests, filled through the doors: sources, a month of events, consents, segments."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from cegla.collect import actions as collect
from cegla.compose import actions as compose
from cegla.flow import Intake
from cegla.segment import actions as segment
from cegla.storage.workspace import Workspace
from cegla.vocabulary.consent import Basis

PEOPLE = 60
FIRST_NAMES = ("Anna", "Łucja", "Świętosława", "Jan", "Żaneta", "Michał", "Zofia", "Paweł")
PRODUCTS = (("42", "Kubek „Świt”", "Kuchnia", 39.9), ("43", "Świeca sojowa", "Dom", 24.5), ("44", "Pościel lniana", "Sypialnia", 349.0), ("45", "Deska dębowa", "Kuchnia", 89.99))
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
HOSTILE = "<script>alert(1)</script>"


def fill(ws: Workspace, people: int = PEOPLE) -> None:
    """Sources, events of `people` visitors up to now, ready-made segments."""
    now = ws.clock()
    with ws.transaction() as conn:
        shop, _ = collect.add_source(conn, "Sklep internetowy", "website", Basis.CONSENT, now)
        crm, _ = collect.add_source(conn, "Serwer sklepu", "server", Basis.CONTRACT, now)
        calls, _ = collect.add_source(conn, "Call center", "webhook", Basis.CONTRACT, now)
        ready = collect.ready_made()["call_center"]
        collect.save_webhook(conn, ws.keys, collect.Webhook(calls.id, "", "path", collect.Secrets(), ready.mapping, False, True), now)
        chance = random.Random(7)
        for number in range(people):
            batch = list(_visitor(chance, number, now))
            collect.write_down(conn, shop.id if number % 3 else crm.id, [json.dumps({"batch": batch}).encode()], now)
        broken = [{"type": "track", "userId": "u1", "messageId": "broken-1"}, {"type": "nonsense", "userId": "u1", "messageId": "broken-2"}]
        collect.write_down(conn, crm.id, [json.dumps({"batch": broken}).encode()], now)
        segment.install_ready_made(conn, now)
        compose.begin(conn, "letter", "Nowości", compose.Author("test", "pl", now))
    Intake(ws).drain()
    with ws.transaction() as conn:
        segment.refresh(conn, ws.warehouse, None, segment.AsOf(now))


def _visitor(chance: random.Random, number: int, now: datetime) -> Iterator[dict[str, Any]]:
    """What one visitor did: pages, products, perhaps orders; most tell who they are, some agree to letters."""
    anonymous, user = f"browser-{number}", f"u{number}"
    agrees = {"analytics": True} | ({"marketing_email": True, "email_tracking": True} if number % 2 else {})
    context = {"userAgent": AGENT, "locale": "pl-PL", "consent": {"categoryPreferences": agrees}, "page": {"path": "/kubki", "title": "Kubki", "url": "https://sklep.example/kubki"}}
    start = now - timedelta(days=chance.randint(0, 29), hours=chance.randint(0, 5))

    def event(kind: str, minutes: int, **fields: Any) -> dict[str, Any]:
        at = min(start + timedelta(minutes=minutes), now - timedelta(seconds=1))
        return {"type": kind, "anonymousId": anonymous, "messageId": f"m-{number}-{kind}-{minutes}", "timestamp": at.isoformat(), "context": context, **fields}

    yield event("page", 0, properties={"path": "/kubki", "title": "Kubki" if number else HOSTILE})
    product_id, name, category, price = PRODUCTS[number % len(PRODUCTS)]
    product = {"product_id": product_id, "name": name, "category": category, "price": price}
    yield event("track", 2, event="Product Viewed", properties=product)
    if number % 4 == 3:
        return
    first = FIRST_NAMES[number % len(FIRST_NAMES)]
    traits = {"email": f"osoba{number}@example.pl", "first_name": first, "city": "Łódź", "phone": f"+48 600 000 {number:03d}"}
    yield event("identify", 3, userId=user, traits=traits)
    for order in range(number % 5):
        lines = [{**product, "quantity": order + 1}]
        total = round(price * (order + 1), 2)
        yield event("track", 10 + order * 1_500, userId=user, event="Order Completed", properties={"order_id": f"Z-{number}-{order}", "total": total, "currency": "PLN", "products": lines})
