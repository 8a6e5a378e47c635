"""Guards before every analyser: whose doing an event really was, and what may be known of it at all.

    history ──not bots, datacentres, machines──► events ──only the columns asked for, nothing of art. 9──► kept once ──► all analysers

The one scan of the history that all analysers share. Left out are robots, what machines opened or clicked, and everything from
datacentres but the shop's own servers. Behind a VPN sits a human, so `is_proxy` is for the analysers of places to look at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import reduce
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from cegla.profile.rules.blocked import ODD, as_read, without_blocked

Table = Any  # an Ibis table

ALWAYS = ("person_id", "event_id", "identity_id", "kind", "name", "occurred_at", "local_at", "session_id")
OF_LINES = ("event_id", "age_days", "weight")  #: what an order line takes from the event it belongs to
LINE_ALWAYS = ("person_id", "event_id", "name", "occurred_at")
#: Columns whose text is written by people or about things, so that it may name what art. 9 protects.
TELLING = frozenset({"name", "page_path", "page_title", "referrer_term", "campaign_name", "campaign_term", "campaign_content"})
#: What is said of one page: where one of these may not be told, none is, or the title of a medicine would stay of a page filed under medicines.
ABOUT_PAGES = (
    "page_path", "page_title", "property.section", "property.breadcrumbs", "property.subject_category", "property.topics", "property.keywords",
    "property.subject", "property.description",
)  # fmt: skip
DAYPARTS = ("morning", "work", "evening", "night", "weekend")  #: 5–9, Monday to Friday 9–17, 17–23, 23–5, Saturday and Sunday
NAMING_PRODUCTS = ("category", "product")
ABOUT_PRODUCTS = ("product_id", *NAMING_PRODUCTS)
HIDDEN = timedelta(days=1)  #: an event further in the future than this comes from a wrong clock


@dataclass(frozen=True)
class Seen:
    """What analysers see of the history, as Ibis tables. Both hold `person_id`, `event_id`, `name`, `occurred_at` (UTC), `age_days`, `weight`.

    `events` adds `kind`, `local_at`, `session_id` (null: the person did nothing), `days_ago` (whole local days before today, 0 today) and the
    columns that the inputs name; properties are there by their name as "property_NAME". `lines` are order lines and products looked at.
    `weather` has one row a powiat and hour (see `weather.actions.HOURS`), for analysers whose inputs ask for it.
    `age_days` is how long ago it was, never below 0; `weight` is 1, or 1/k on a device that k people share.
    """

    events: Table
    lines: Table
    weather: Table = None

    @property
    def visits(self) -> Table:
        """One row a session: `person_id`, `session_id`, `began`, `ended` (UTC), `local_began`, `events`, `age_days`, `weight`."""
        active = self.events.filter(self.events.session_id.notnull())
        return active.group_by("person_id", "session_id").agg(
            began=active.occurred_at.min(), ended=active.occurred_at.max(), local_began=active.local_at.min(), events=active.count(),
            age_days=active.age_days.min(), weight=active.weight.max(),
        )  # fmt: skip


def moment_row(now: datetime, zone: tzinfo) -> pa.Table:
    """The moment of a run as a table of one row, so that the question stays the same from run to run."""
    return pa.table(
        {"now": [now.astimezone(UTC).replace(tzinfo=None)], "local_now": [now.astimezone(zone).replace(tzinfo=None)]},
        schema=pa.schema([("now", pa.timestamp("us")), ("local_now", pa.timestamp("us"))]),
    )


def sharing_rows(sharing: Iterable[tuple[int, int]]) -> pa.Table:
    """(identity, how many people share its device) as a table."""
    pairs = list(sharing)
    return pa.table({"shared_identity": pa.array([one for one, _ in pairs], pa.int64()), "sharers": pa.array([many for _, many in pairs], pa.int64())})


def seen_events(events: Table, moment: Table, sharing: Table, inputs: Iterable[str]) -> Table:
    """The events that analysers see, before `veiled`: `events` is a `history()` table, `moment` and `sharing` are made by the functions above."""
    inputs = {*inputs}.union(ABOUT_PAGES if not {*inputs}.isdisjoint(ABOUT_PAGES) else ())
    asked = sorted({name for name in inputs if "." not in name} - {*ALWAYS} | {"identity_id"}.intersection(inputs))
    properties = sorted({name.partition(".")[2] for name in inputs if name.startswith("property.")})
    human = ~events.is_bot.fill_null(False)
    if "machine_reason" in events.columns:
        human &= events.machine_reason.isnull()
        human &= ~(events.is_datacentre.fill_null(False) & (events.device_type.fill_null("") != "server"))
    joined = events.filter(human).cross_join(moment)
    joined = joined.filter(joined.occurred_at <= joined.now + ibis.interval(days=HIDDEN.days))
    joined = joined.left_join(sharing, joined.identity_id == sharing.shared_identity)
    columns: dict[str, Any] = {name: joined[name] for name in ALWAYS if name != "identity_id"}
    columns |= {name: joined[name] if name in joined.columns else ibis.null("string") for name in asked}  # a history of before the column was added
    if properties:  # all of them out of one look at the document
        told: Any = _texts_at(joined.properties, ["/" + name.replace("~", "~0").replace("/", "~1") for name in properties])
        columns |= {f"property_{name}": told[place] for place, name in enumerate(properties)}
    return joined.select(
        **columns,
        age_days=_age_days(joined),
        days_ago=ibis.greatest(_day(joined.local_now) - _day(joined.local_at), 0),
        weight=(1.0 / joined.sharers.cast("float64")).fill_null(1.0),
        shared=joined.sharers.notnull(),
    )


def telling_texts(seen: pa.Table) -> pa.Table:
    """The different texts of the columns that people write, each once, however many events bear it, for `blocked_of`."""
    return _texts([seen[name].unique() for name in _telling(seen)])


def telling_names(lines: pa.Table) -> pa.Table:
    """The different categories and products of order lines, for `blocked_of`."""
    return _texts([_named(lines).unique()])


def _texts(columns: list[Any]) -> pa.Table:
    """`text`, and `plain`: the same as it is read."""
    compute: Any = pc
    texts: Any = pa.chunked_array(columns, pa.string()).unique().drop_null()
    odd = compute.match_substring_regex(texts, ODD)
    plain = compute.replace_with_mask(texts, odd, pa.array([as_read(text) for text in texts.filter(odd).to_pylist()], pa.string()))
    return pa.table({"text": texts, "plain": plain})


def blocked_of(texts: Table, blocked: tuple[str, ...] = ()) -> Table:
    """Of a table of texts, `text` and as they are read `plain`, those that may never be on a profile."""
    return texts.filter(without_blocked(texts.plain, blocked).isnull()).select("text")


def veiled(seen: pa.Table, blocked: pa.Table) -> pa.Table:
    """Events with null in place of every text of people's that is among the `blocked` ones, and of all that is said of a page which one of them is about."""
    if not blocked.num_rows:
        return seen
    compute: Any = pc
    hidden = {name: compute.is_in(seen[name], value_set=blocked["text"].combine_chunks()) for name in _telling(seen)}
    about = [_column_of(name) for name in ABOUT_PAGES if _column_of(name) in hidden]
    if about:
        pages = _of_one_page(seen, reduce(compute.or_, [hidden[name] for name in about]))
        hidden |= dict.fromkeys(about, pages)
    for name, mask in hidden.items():
        seen = seen.set_column(seen.column_names.index(name), name, compute.if_else(mask, None, seen[name]))
    return seen


def _of_one_page(seen: pa.Table, told: Any) -> Any:
    """Of which events the page may not be told: those where it shows, and what the same person did on the same page, when they left it for one."""
    compute: Any = pc
    if not compute.any(told).as_py():
        return told
    page = compute.binary_join_element_wise(seen["person_id"].cast(pa.string()), seen["page_path"], "\t")
    return compute.or_(told, compute.is_in(page, value_set=compute.filter(page, told).unique().drop_null()))


def _column_of(name: str) -> str:
    return name.replace("property.", "property_")


def _telling(seen: pa.Table) -> list[str]:
    return [name for name in seen.column_names if (name in TELLING or name.startswith("property_")) and pa.types.is_string(seen.schema.field(name).type)]


def columns_of_lines(inputs: Iterable[str]) -> set[str]:
    """The columns of order lines that `seen_lines` looks at."""
    return {*LINE_ALWAYS, *ABOUT_PRODUCTS, *(name.partition(".")[2] for name in inputs if name.startswith("line."))}


def seen_lines(lines: Table, seen: Table, inputs: Iterable[str]) -> Table:
    """The order lines, and products looked at, of the events that analysers see (`seen`, kept: `OF_LINES` of them), before `veiled_lines`."""
    asked = sorted({name.partition(".")[2] for name in inputs if name.startswith("line.")})
    if not {*asked}.isdisjoint(ABOUT_PRODUCTS):
        asked = sorted({*asked, *NAMING_PRODUCTS})
    told = seen.select(*OF_LINES).rename(seen_id="event_id")
    joined = lines.inner_join(told, lines.event_id == told.seen_id)
    columns = {name: joined[name] for name in (*LINE_ALWAYS, *asked)}
    return joined.select(**columns, age_days=joined.age_days, weight=joined.weight)


def veiled_lines(lines: pa.Table, blocked: pa.Table) -> pa.Table:
    """Order lines with null in place of what they are of, where its category and name together are among the `blocked` texts."""
    if not blocked.num_rows:
        return lines
    compute: Any = pc
    hidden = compute.is_in(_named(lines), value_set=blocked["text"].combine_chunks())
    for name in (name for name in ABOUT_PRODUCTS if name in lines.column_names):
        lines = lines.set_column(lines.column_names.index(name), name, compute.if_else(hidden, None, lines[name]))
    return lines


def _named(lines: pa.Table) -> Any:
    compute: Any = pc
    return compute.binary_join_element_wise(*(compute.fill_null(lines[name], "") for name in NAMING_PRODUCTS), " ")


def gathered(long: Table, name: str, what: str = "what", weight: str = "weight") -> Table:
    """From rows (person_id, what, weight) one row a person with the column `name`: a list of {what, weight}, ordered by `what`.

    Reads back with `Facts.pairs` and `Facts.matrix`.
    """
    counted = long.filter(long[what].notnull()).group_by("person_id", what=long[what]).agg(weight=long[weight].cast("float64").sum().round(6))
    pair: Any = ibis.struct({"what": counted.what, "weight": counted.weight})
    return counted.group_by("person_id").agg(**{name: in_order(pair)})


def in_order(values: Any) -> Any:
    """The values of a group as a list, ascending: structs by their first fields, which must tell them apart. Half as dear as to collect in an order."""
    return values.collect().sort()


def joined_facts(first: Table, *more: Table) -> Table:
    """Tables of facts side by side, one row a person; who is in `first` is in the result."""
    for other in more:
        renamed = other.rename(other_person="person_id")
        first = first.left_join(renamed, first.person_id == renamed.other_person).drop("other_person")
    return first


def half_life(age_days: Any, days: float) -> Any:
    """The weight that is left after `age_days`, when it halves every `days`: 1 for now."""
    return (age_days * (-0.6931471805599453 / days)).exp()


def daypart_of(local: Any) -> Any:
    """The part of the week that a local moment lies in, one of `DAYPARTS`."""
    hour = local.hour()
    return ibis.cases(
        (local.day_of_week.index() >= 5, "weekend"), ((hour >= 5) & (hour < 9), "morning"), ((hour >= 9) & (hour < 17), "work"),
        ((hour >= 17) & (hour < 23), "evening"), else_="night",
    )  # fmt: skip


@ibis.udf.scalar.builtin(name="json_extract_string")
def _texts_at(document: str, pointers: list[str]) -> list[str]:  # pyright: ignore[reportReturnType]
    """The texts of JSON values at RFC 6901 pointers; null where there is none."""


def _age_days(joined: Table) -> Any:
    seconds = joined.now.epoch_seconds() - joined.occurred_at.epoch_seconds()
    return ibis.greatest(seconds.cast("float64") / 86_400, 0.0)


def _day(moment: Any) -> Any:
    return moment.date().epoch_days()
