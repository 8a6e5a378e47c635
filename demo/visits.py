"""One person's visits to the shop: pages, carts, orders, refunds and what they agree to, in the order of time."""

import math
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Literal
from zoneinfo import ZoneInfo

from demo.catalogue import BY_CATEGORY, CATEGORIES, ENTRIES, FREE_SHIPPING_FROM, SEARCHES, SHIPPING, SHOP_URL, Entry, Product
from demo.population import DAYS, HOURS, Device, Person
from demo.truth import TrueOrder, TruePerson, Truth

WARSAW = ZoneInfo("Europe/Warsaw")
NAMES = {category.slug: category.name for category in CATEGORIES}
Place = Literal["site", "server"]
Preferences = dict[str, bool]


@dataclass
class Sent:
    """An event on its way: when it leaves, through which source, and its content (anything at all, when it is broken)."""

    at: datetime
    place: Place
    event: Any
    user_agent: str = ""


@dataclass
class Visit:
    """Where a visit is: the clock moves as the person does things."""

    device: Device
    entry: Entry
    at: datetime
    signed_in: bool
    cart: list[tuple[Product, int]] = field(default_factory=list)


class Visitor:
    """Plays one person from `start` to `end`, writing down what is true on the way."""

    def __init__(self, person: Person, seed: int, start: datetime, end: datetime, truth: Truth) -> None:
        self.person, self.start, self.end, self.truth = person, start, end, truth
        self.rng = Random(f"{seed}/visits/{person.number}")
        self.prefix = f"sim-{seed}-{person.number:05d}"
        self.number = 0
        self.orders = 0
        self.signed_in_on: set[str] = set()
        self.met_banner: set[str] = set()
        self.me = TruePerson(person.number, person.persona.key, person.user_id, person.email, person.phone, person.mail_bounces)
        truth.people[person.number] = self.me

    def play(self) -> Generator[Sent]:
        """Every event of this person."""
        for at in self._visit_times():
            device = self.rng.choice(self.person.devices)
            if device.shared and not self.me.registered_at:
                device = self.person.devices[0]
            entry = self.rng.choices(ENTRIES, [row.weight for row in ENTRIES])[0]
            visit = Visit(device, entry, at, signed_in=device.anonymous_id in self.signed_in_on and not device.shared)
            known = self.me.shared_devices if device.shared else self.me.own_devices
            if device.anonymous_id not in known:
                known.append(device.anonymous_id)
            self.me.visits += 1
            yield from self._visit(visit)
        if self.me.marketing_email and self.person.withdraws_email:
            yield from self._withdraw()

    # one visit -------------------------------------------------------------------------------------------------------

    def _visit(self, visit: Visit) -> Generator[Sent]:
        self.me.analytics = self.person.allows_analytics
        if visit.device.anonymous_id not in self.met_banner:
            self.met_banner.add(visit.device.anonymous_id)
            yield self._site(visit, "track", event="Segment Consent Preference Updated", properties={})
        if not self.person.allows_analytics and not self.person.careless_page:
            yield from self._silent_visit(visit)
            return
        if visit.device.shared or (self.me.registered_at and not visit.signed_in and self.rng.uniform(0, 1) < 0.7):
            yield from self._sign_in(visit)
        yield self._shown(visit, self._page(visit, "/", "Gliniane Podwórko", visit.entry.query))
        yield from self._browse(visit)
        if visit.cart and self.rng.uniform(0, 1) < 0.62:
            yield from self._check_out(visit)

    def _silent_visit(self, visit: Visit) -> Generator[Sent]:
        """Somebody who allows no analytics still buys; the order comes from the shop's server alone."""
        if self.rng.uniform(0, 1) < self.person.persona.buys:
            self._wait(visit, 400)
            self._fill_cart(visit)
            yield from self._order(visit)

    def _browse(self, visit: Visit) -> Generator[Sent]:
        wants = self.rng.uniform(0, 1) < self.person.persona.buys / 0.62
        looks = 1 + min(12, int(self.rng.expovariate(1 / (4 if wants else 2))))
        if self.rng.uniform(0, 1) < 0.18:
            yield self._shown(visit, self._site(visit, "track", event="Products Searched", properties={"query": self.rng.choice(SEARCHES)}))
        for _ in range(looks):
            slug = self._category()
            if self.rng.uniform(0, 1) < 0.5:
                yield self._shown(visit, self._page(visit, f"/{slug}", NAMES[slug]))
            product = self._product(slug)
            yield self._shown(visit, self._page(visit, product.path, product.name))
            yield self._shown(visit, self._site(visit, "track", event="Product Viewed", properties={**_facts(product), "currency": "PLN"}), 2)
        if wants:
            self._fill_cart(visit)
            for product, quantity in visit.cart:
                yield self._shown(
                    visit, self._site(visit, "track", event="Product Added", properties={**_facts(product), "quantity": quantity, "currency": "PLN"})
                )

    def _check_out(self, visit: Visit) -> Generator[Sent]:
        total = _sum(visit.cart)
        yield self._shown(visit, self._page(visit, "/koszyk", "Koszyk"))
        yield self._shown(
            visit,
            self._site(
                visit, "track", event="Checkout Started", properties={"value": total / 100, "currency": "PLN", "products": _lines(visit.cart)}
            ),
        )
        if not visit.signed_in and not self.me.registered_at and self.rng.uniform(0, 1) < self.person.persona.registers:
            self.me.registered_at = visit.at
        if not visit.signed_in and self.me.registered_at:
            yield from self._sign_in(visit)
        yield from self._order(visit)
        if not visit.signed_in:
            yield self._shown(visit, self._site(visit, "identify", traits=self._traits()), 1)

    def _order(self, visit: Visit) -> Generator[Sent]:
        """The order itself, told by the shop's server, with what was ticked at the till, and perhaps a refund later."""
        self.orders += 1
        order_id = f"GP-{self.person.number:05d}-{self.orders:03d}"
        shipping = 0 if _sum(visit.cart) >= FREE_SHIPPING_FROM else SHIPPING
        total = _sum(visit.cart) + shipping
        order = TrueOrder(order_id, self.person.number, visit.at, total)
        self.truth.orders[order_id] = order
        self.me.named_at = self.me.named_at or visit.at
        facts = {"order_id": order_id, "total": total / 100, "shipping": shipping / 100, "currency": "PLN", "products": _lines(visit.cart)}
        yield self._server(visit.at, "Order Completed", facts, self._say_at_the_till(), visit.device.anonymous_id)
        if self.rng.uniform(0, 1) < self.person.persona.refunds:
            line, quantity = visit.cart[0]
            at = visit.at + timedelta(days=self.rng.randint(3, 14), seconds=self.rng.randint(0, 40_000))
            if at < self.end:
                order.refunded, order.refunded_at = line.price * quantity, at
                yield self._server(
                    at,
                    "Order Refunded",
                    {"order_id": order_id, "total": line.price * quantity / 100, "currency": "PLN", "products": _lines([(line, quantity)])},
                    {},
                    None,
                )

    def _say_at_the_till(self) -> Preferences:
        """Marketing consents are asked once, with the first order."""
        if self.me.marketing_email is not None:
            return {}
        self.me.marketing_email = self.person.allows_email
        self.me.email_tracking = self.person.allows_email and self.person.allows_tracking
        return {"marketing_email": self.me.marketing_email, "email_tracking": self.me.email_tracking}

    def _withdraw(self) -> Generator[Sent]:
        last = max(order.at for order in self.truth.orders.values() if order.person == self.person.number)
        at = last + timedelta(days=self.rng.randint(1, 9), seconds=self.rng.randint(0, 80_000))
        if at < self.end:
            self.me.marketing_email = self.me.email_tracking = False
            yield self._server(at, "Segment Consent Preference Updated", {}, {"marketing_email": False, "email_tracking": False}, None)

    def _sign_in(self, visit: Visit) -> Generator[Sent]:
        visit.signed_in = True
        self.signed_in_on.add(visit.device.anonymous_id)
        self.me.named_at = self.me.named_at or visit.at
        yield self._shown(visit, self._site(visit, "identify", traits=self._traits()), 3)

    # events ----------------------------------------------------------------------------------------------------------

    def _page(self, visit: Visit, path: str, title: str, query: str = "") -> Sent:
        page = {
            "url": f"{SHOP_URL}{path}{query}",
            "path": path,
            "title": title,
            "referrer": visit.entry.referrer if query or path == "/" else f"{SHOP_URL}/",
        }
        sent = self._site(visit, "page", name=title, properties=page)
        sent.event["context"]["page"] = page
        return sent

    def _site(self, visit: Visit, kind: str, **fields: Any) -> Sent:
        consents: Preferences = {"analytics": self.person.allows_analytics}
        event: dict[str, Any] = {"type": kind, "messageId": self._message_id(), "anonymousId": visit.device.anonymous_id}
        if visit.signed_in:
            event["userId"] = self.person.user_id
        context = {"userAgent": visit.device.user_agent, "locale": "pl-PL", "timezone": "Europe/Warsaw", "consent": {"categoryPreferences": consents}}
        return Sent(visit.at, "site", {**event, **fields, "timestamp": _stamp(visit.at), "context": context}, visit.device.user_agent)

    def _server(self, at: datetime, name: str, properties: dict[str, Any], consents: Preferences, anonymous_id: str | None) -> Sent:
        event: dict[str, Any] = {"type": "track", "messageId": self._message_id(), "event": name, "properties": properties}
        context: dict[str, Any] = {"traits": {"email": self.person.email}}
        if self.me.registered_at:
            event["userId"] = self.person.user_id
        if anonymous_id and self.person.allows_analytics:
            event["anonymousId"] = anonymous_id
        if not self.me.registered_at:
            event.setdefault("anonymousId", f"{self.prefix}-guest")
        if consents:
            context["consent"] = {"categoryPreferences": consents}
        return Sent(at, "server", {**event, "timestamp": _stamp(at), "context": context}, "gliniane-podworko-server/1.4")

    def _shown(self, visit: Visit, sent: Sent, seconds: float = 35) -> Sent:
        """The event, after which the person takes some time."""
        sent.at = visit.at
        sent.event["timestamp"] = _stamp(visit.at)
        self._wait(visit, seconds)
        return sent

    def _message_id(self) -> str:
        self.number += 1
        return f"{self.prefix}-{self.number:05d}"

    def _traits(self) -> dict[str, Any]:
        person = self.person
        traits = {
            "email": person.email,
            "firstName": person.first_name,
            "lastName": person.last_name,
            "city": person.city,
            "country": "PL",
            "language": "pl",
        }
        return {**traits, "phone": person.phone} if person.phone else traits

    # chance ----------------------------------------------------------------------------------------------------------

    def _visit_times(self) -> list[datetime]:
        """Moments of visits: days and hours in Warsaw by the persona's habits, in order."""
        persona = self.person.persona
        first = self.start.astimezone(WARSAW).date()
        days = [first + timedelta(days=number) for number in range((self.end - self.start).days)]
        weights = [DAYS[persona.hours][day.weekday()] * (1.25 if day.day in (10, 25) else 1) for day in days]
        count = _poisson(self.rng, persona.visits_a_week * len(days) / 7) if days else 0
        times: list[datetime] = []
        for day, hour in zip(
            self.rng.choices(days, weights, k=count) if days else [], self.rng.choices(range(24), HOURS[persona.hours], k=count), strict=False
        ):
            wall = datetime(day.year, day.month, day.day, hour, self.rng.randint(0, 59), self.rng.randint(0, 59), tzinfo=WARSAW)
            times.append(wall.astimezone(UTC))
        return sorted(time for time in times if self.start <= time < self.end - timedelta(hours=2))

    def _wait(self, visit: Visit, mean_seconds: float) -> None:
        visit.at += timedelta(seconds=1 + min(600.0, self.rng.expovariate(1 / mean_seconds)))

    def _category(self) -> str:
        return self.person.favourites[min(len(self.person.favourites) - 1, int(self.rng.expovariate(1.2)))]

    def _product(self, slug: str) -> Product:
        shelf = BY_CATEGORY[slug]
        return self.rng.choices(shelf, [product.weight for product in shelf])[0]

    def _fill_cart(self, visit: Visit) -> None:
        for _ in range(1 + min(14, _poisson(self.rng, self.person.persona.basket - 1))):
            product = self._product(self._category())
            if all(product is not one for one, _ in visit.cart):
                visit.cart.append((product, 1 if product.price > 8_000 else self.rng.choices((1, 2, 4, 6), (60, 22, 12, 6))[0]))


def _facts(product: Product) -> dict[str, Any]:
    return {"product_id": product.id, "name": product.name, "category": product.category.name, "price": product.price / 100}


def _lines(cart: list[tuple[Product, int]]) -> list[dict[str, Any]]:
    return [{**_facts(product), "quantity": quantity} for product, quantity in cart]


def _sum(cart: list[tuple[Product, int]]) -> int:
    return sum(product.price * quantity for product, quantity in cart)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _poisson(rng: Random, mean: float) -> int:
    """A Poisson number (Knuth's method; means here are small)."""
    limit, product, count = math.exp(-min(mean, 500)), rng.uniform(0, 1), 0
    while product > limit:
        product *= rng.uniform(0, 1)
        count += 1
    return count
