"""A mapping proposed for a table nobody described: who, what and when, from the names of its columns and from samples.

    columns ── role of each (its name, else what it holds) ── people, orders or events ── mapping, reasons, open questions

Nothing here decides on consent: a column that says yes or no to letters is taken up, the basis is for a person to give.
"""

import re
from collections.abc import Mapping as Named
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cegla.collect.rules.contents import DEFAULT, MONTH_FIRST, ColumnGuess
from cegla.collect.rules.headings import ROLES, Role, plain_words, role_of
from cegla.collect.rules.mapping import ACQUIRED, ADDRESSES, IDENTIFY, FileForm
from cegla.collect.rules.switchboard import MAPPINGS
from cegla.vocabulary.text import Text

Kind = Literal["people", "orders", "events"]
BASES: dict[Kind, str] = {"people": "legitimate_interest", "orders": "contract", "events": "legitimate_interest"}
_ROLES = {role.key: role for role in ROLES}
_BY_CONTENT = {"email": "email", "phone": "phone", "postal_code": "postal_code"}
_TRAITS = ("email", "phone", "name", "first_name", "last_name", "birthday", "gender", "city", "postal_code", "street", "region", "country", "tax_id", "company")
_CONSENTS = ("marketing_email", "marketing_sms", "analytics", "profiling")
_PRODUCTS = {"sku": "sku", "product_id": "product_id", "product": "name", "category": "category", "price": "price", "quantity": "quantity"}
_CURRENCIES = {"zł": "PLN", "PLN": "PLN", "pln": "PLN", "€": "EUR", "EUR": "EUR", "$": "USD", "USD": "USD", "£": "GBP", "GBP": "GBP"}
_MUST_BE: dict[str, tuple[str, ...]] = {
    "order_time": ("time", "date"), "time": ("time", "date"), "consent_at": ("time", "date"), "created_at": ("time", "date"),
    "total": ("number", "integer"), "price": ("number", "integer"), "quantity": ("integer", "number"), **dict.fromkeys(_CONSENTS, ("boolean",)),
}  # fmt: skip

UNKNOWN = Text("nieznana nazwa: zostaje pod własną; usuń, jeśli niepotrzebna", "an unknown name: kept under its own; strike it out if nobody needs it")
KNOWN_LOG = Text("znany zapis centrali telefonicznej", "a known log of a switchboard")
NOBODY = Text(
    "Która kolumna wskazuje osobę? Nie ma numeru klienta, e-maila ani telefonu.",
    "Which column says who it is? There is no customer number, e-mail or phone.",
)
NO_CONSENTS = Text(
    "Żadna kolumna nie mówi o zgodach: nikt z tej listy nie dostanie wiadomości marketingowych.",
    "No column tells of consents: nobody on this list will get marketing messages.",
)


@dataclass(frozen=True)
class Proposed:
    """Where a column goes, such as "traits.email", and why."""

    place: str
    column: str
    reason: Text


@dataclass(frozen=True)
class Proposal:
    """A whole mapping as YAML has it, but for `acquired`, which only a person can tell."""

    kind: Kind
    mapping: dict[str, Any]
    proposals: tuple[Proposed, ...]
    questions: tuple[Text, ...]


def propose(name: str, form: FileForm, columns: Sequence[ColumnGuess], rows: Sequence[Named[str, str | None]]) -> Proposal:
    """What a file called `name` may be. `rows` are its first rows."""
    if form.format in MAPPINGS:
        return _ready(name, form)
    return _Draft(columns, rows).proposal(name, form)


def _ready(name: str, form: FileForm) -> Proposal:
    """The mapping of a switchboard's log, which needs no guess: a call is one event by its number, in whichever file it stands."""
    body: dict[str, Any] = dict(MAPPINGS[form.format])
    proposals = [Proposed(f"{section}.{key}", column, KNOWN_LOG) for section in ("traits", "properties") for key, text in body[section].items()
        for column in [text.strip("{}")]]  # fmt: skip
    mapping = {"name": body.pop("name"), "source": _stem(name) or "calls", "basis": BASES["events"], "file": form.model_dump(exclude_defaults=True), **body}
    return Proposal("events", mapping, (*proposals, Proposed("time", "ended_at", KNOWN_LOG)), ())


def _stem(name: str) -> str:
    """A file's name without what says how it is written."""
    return re.sub(r"(\.(csv|tsv|txt|log|xlsx?|xlsm|jsonl|ndjson|json|parquet|gz|zst))+$", "", name, flags=re.IGNORECASE).strip()[:200]


@dataclass
class _Draft:
    """A mapping on its way: `found` says which column has which role."""

    columns: Sequence[ColumnGuess]
    rows: Sequence[Named[str, str | None]]
    found: dict[str, ColumnGuess] = field(default_factory=dict[str, ColumnGuess])
    whys: dict[str, Text] = field(default_factory=dict[str, Text])
    proposals: list[Proposed] = field(default_factory=list[Proposed])
    questions: list[Text] = field(default_factory=list[Text])
    used: set[str] = field(default_factory=set[str])

    def proposal(self, name: str, form: FileForm) -> Proposal:
        """The whole of it."""
        self._give_roles()
        kind = self._kind()
        body = {"people": self._people, "orders": self._orders, "events": self._events}[kind]()
        self._more_questions(kind)
        stem = _stem(name)
        file = form.model_dump(exclude_defaults=True)
        forms = {guess.name: guess.form.model_dump(mode="json", exclude_defaults=True) for guess in self.columns if guess.form != DEFAULT}
        mapping: dict[str, Any] = {
            "name": plain_words(stem).replace(" ", "-")[:49] or kind, "source": stem or kind, "basis": BASES[kind],
            **({"file": file} if file else {}), **({"columns": forms} if forms else {}), **body,
        }  # fmt: skip
        return Proposal(kind, mapping, tuple(self.proposals), tuple(dict.fromkeys(self.questions)))

    # roles ---------------------------------------------------------------------------------------------------------------

    def _give_roles(self) -> None:
        """Each role to one column: first by the whole name, then by words in it, then by what the column holds."""
        named = [(guess, role) for guess in self.columns if (role := self._role(guess)) is not None]
        for guess, role in sorted(named, key=lambda pair: plain_words(pair[0].name) not in pair[1].names):
            if role.key == "secret":
                self.used.add(guess.name)
                self.questions.append(_secret(guess.name))
            else:
                self._give(role.key, guess, Text(f"nazwa mówi: {role.label.pl}", f"its name says: {role.label.en}"))
        for guess in self.columns:
            key = _BY_CONTENT.get(guess.holds)
            if key and guess.name not in {one.name for one in self.found.values()}:
                self._give(key, guess, guess.reason)
        if "client" in self.found:
            guess = self.found.pop("client")
            self._give("name" if any(re.search(r"[^\W\d_]", text) for text in guess.samples) else "user_id", guess, self.whys["client"])

    def _role(self, guess: ColumnGuess) -> Role | None:
        role = role_of(guess.name)
        if role is None or not guess.samples:
            return None
        if role.key in ("email", "phone") and guess.holds == "yes_no":
            return _ROLES["marketing_email" if role.key == "email" else "marketing_sms"]
        allowed = _MUST_BE.get(role.key)
        if role.key == "event" and guess.form.type != "text":
            return None
        return role if allowed is None or guess.form.type in allowed else None

    def _give(self, key: str, guess: ColumnGuess, why: Text) -> None:
        if key not in self.found:
            self.found[key], self.whys[key] = guess, why

    def _kind(self) -> Kind:
        has = self.found.keys()
        worth = {"total", "price"} & has
        if (worth and {"order_id", "order_time"} & has) or ("order_id" in has and {"time", "product", "sku", "quantity"} & has):
            return "orders"
        return "events" if "event" in has and {"time", "order_time", "created_at"} & has else "people"

    # sections ------------------------------------------------------------------------------------------------------------

    def _people(self) -> dict[str, Any]:
        body: dict[str, Any] = {"event": IDENTIFY, "time": ACQUIRED, "ids": self._ids(None)}
        traits = self._fields("traits", {key: key for key in (*_TRAITS, "created_at")})
        consents = self._consents()
        made = {**body, "traits": {**traits, **self._rest("traits")}, **consents}
        return {key: value for key, value in made.items() if value}

    def _orders(self) -> dict[str, Any]:
        order = self.found.get("order_id")
        time = self._time(("order_time", "time", "created_at"))
        body: dict[str, Any] = {"event": "Order Completed", "time": time}
        if order is not None:
            body["group_by"] = [order.name]
            self._say("group_by", "order_id")
        body["ids"] = self._ids(order)
        properties = {"order_id": self._column("order_id")} if order is not None else {}
        products = self._fields("products", _PRODUCTS) if self._has_lines() else {}
        total = self._total(products)
        body |= {"properties": properties, "products": products, **total, "traits": self._fields("traits", {key: key for key in _TRAITS})}
        consents = self._consents()
        body["properties"] = {**properties, **self._rest("properties")}
        return {key: value for key, value in {**body, **consents}.items() if value}

    def _events(self) -> dict[str, Any]:
        event = self.found["event"]
        self._say("event", "event")
        body: dict[str, Any] = {"event": f"{{{event.name}}}", "time": self._time(("time", "order_time", "created_at")), "ids": self._ids(None)}
        traits = self._fields("traits", {key: key for key in _TRAITS})
        single = {key: key for key in ("order_id", "total", "currency", "quantity", "price", "sku", "product_id", "product", "category")}
        body |= {"traits": traits, **self._consents(), "properties": {**self._fields("properties", single), **self._rest("properties")}}
        return {key: value for key, value in body.items() if value}

    def _ids(self, order: ColumnGuess | None) -> dict[str, str]:
        ids: dict[str, str] = {}
        for key in ("user_id", "anonymous_id"):
            if key in self.found:
                ids[key] = self._column(key)
                self._say(f"ids.{key}", key)
        if order is not None:
            ids["otherwise"] = f"guest-{{{order.name}}}"
            why = Text("zamówienie bez klienta ma gościa", "an order without a customer has a guest")
            self.proposals.append(Proposed("ids.otherwise", order.name, why))
        if not (ids or self.found.keys() & {*ADDRESSES}):
            self.questions.append(NOBODY)
        return ids

    def _time(self, keys: Sequence[str]) -> str:
        key = next((key for key in keys if key in self.found), None)
        if key is None:
            free = next((guess for guess in self.columns if guess.form.type in ("time", "date") and guess.name not in self.used), None)
            if free is None or role_of(free.name) is _ROLES["birthday"]:
                self.questions.append(Text("Kiedy to było? Nie ma kolumny z datą.", "When did it happen? There is no column with a date."))
                return ACQUIRED
            self._give("time", free, free.reason)
            key = "time"
        self._say("time", key)
        return self._column(key)

    def _has_lines(self) -> bool:
        return bool({"price", "sku", "product_id", "product"} & self.found.keys())

    def _total(self, products: dict[str, Any]) -> dict[str, Any]:
        """The value of an order: its lines' sum, or a column, and in which currency."""
        made: dict[str, Any] = {}
        worth = self.found.get("total")
        if worth is not None and not (products and self._differs(worth)):
            made["total"] = self._column("total")
            self._say("total", "total")
        elif {"price", "quantity"} <= products.keys():
            made["total"] = "lines"
            if worth is not None:
                self.used.add(worth.name)
        elif worth is not None or "price" in products:
            key = "price" if worth is None else "total"
            products.update({"price": self._column(key), "quantity": 1})
            made["total"] = "lines"
            self._say("products.price", key)
            self.questions.append(
                Text(f"Czy „{self.found[key].name}” to wartość całej linii zamówienia?", f"Is “{self.found[key].name}” the value of the whole order line?")
            )
        if made:
            made["currency"] = self._currency()
            if self._negative(worth if made["total"] != "lines" else self.found.get("quantity") or worth):
                seen = worth if made["total"] != "lines" else self.found.get("quantity") or worth
                made["when"] = [{"column": seen.name if seen else "total", "below": 0, "event": "Order Refunded"}]
        return made

    def _currency(self) -> str:
        if "currency" in self.found:
            self._say("currency", "currency")
            return self._column("currency")
        for key in ("total", "price"):
            unit = self.found[key].form.unit if key in self.found else ""
            if unit in _CURRENCIES:
                return _CURRENCIES[unit]
        self.questions.append(Text("W jakiej walucie są kwoty? Przyjęto PLN.", "In which currency are the amounts? PLN is assumed."))
        return "PLN"

    def _differs(self, worth: ColumnGuess) -> bool:
        """Whether a value differs between the lines of one order, so that it is the line's."""
        order = self.found.get("order_id")
        if order is None:
            return False
        seen: dict[str, str] = {}
        return any(seen.setdefault(row.get(order.name) or "", row.get(worth.name) or "") != (row.get(worth.name) or "") for row in self.rows)

    def _negative(self, guess: ColumnGuess | None) -> bool:
        return guess is not None and any((row.get(guess.name) or "").lstrip().startswith("-") for row in self.rows)

    def _consents(self) -> dict[str, Any]:
        consents = self._fields("consents", {key: key for key in _CONSENTS})
        if not consents:
            return {}
        if "consent_at" in self.found:
            self._say("consent_at", "consent_at")
            return {"consents": consents, "consent_at": self._column("consent_at")}
        return {"consents": consents}

    def _fields(self, section: str, keys: Named[str, str]) -> dict[str, Any]:
        there = {key: name for key, name in keys.items() if key in self.found and self.found[key].name not in self.used}
        for key, name in there.items():
            self._say(f"{section}.{name}", key)
        return {name: self._column(key) for key, name in there.items()}

    def _rest(self, section: str) -> dict[str, str]:
        """Columns nobody asked for, under their own names: a person may strike them out."""
        made: dict[str, str] = {}
        for guess in self.columns:
            name = plain_words(guess.name).replace(" ", "_")[:50]
            if guess.name not in self.used and guess.samples and name and name not in made and name not in _TRAITS:
                made[name] = f"{{{guess.name}}}"
                self.proposals.append(Proposed(f"{section}.{name}", guess.name, UNKNOWN))
        return made

    def _column(self, key: str) -> str:
        return f"{{{self.found[key].name}}}"

    def _say(self, place: str, key: str) -> None:
        self.used.add(self.found[key].name)
        self.proposals.append(Proposed(place, self.found[key].name, self.whys[key]))

    def _more_questions(self, kind: Kind) -> None:
        self.questions += [_doubt(guess, guess.doubt) for guess in self.columns if guess.doubt is not None]
        self.questions += [_odd(guess) for guess in self.columns if guess.odd and guess.name in self.used]
        if kind == "people" and not any(key in self.found for key in _CONSENTS):
            self.questions.append(NO_CONSENTS)


def _doubt(guess: ColumnGuess, doubt: Text) -> Text:
    where = Text(f"Kolumna „{guess.name}”", f"Column “{guess.name}”")
    sample = guess.samples[0]
    if doubt is MONTH_FIRST:
        return Text(f"{where.pl}: co jest pierwsze w {sample}, dzień czy miesiąc?", f"{where.en}: what is first in {sample}, day or month?")
    return Text(f"{where.pl}: ile to {sample}? {doubt.pl}", f"{where.en}: how much is {sample}? {doubt.en}")


def _odd(guess: ColumnGuess) -> Text:
    """Which rows would be refused if the column is what it seems to be."""
    rows = ", ".join(f"{row} („{text}”)" for row, text in guess.odd)
    english = ", ".join(f"{row} (“{text}”)" for row, text in guess.odd)
    return Text(
        f"Kolumna „{guess.name}”: {guess.reason.pl}, ale nie w wierszach: {rows}. Takie wiersze zostaną odrzucone: popraw je w pliku albo wybierz tekst.",
        f"Column “{guess.name}”: {guess.reason.en}, but not in rows {english}. Such rows will be refused: mend them in the file, or choose text.",
    )


def _secret(name: str) -> Text:
    return Text(f"Kolumna „{name}” wygląda na szczególnie chronioną i została pominięta.", f"Column “{name}” looks especially protected and was left out.")
