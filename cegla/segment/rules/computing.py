"""From definitions of traits to one expression: a row a person, for everybody or for just some, with the same answer.

    history of humans ─► (only the people asked about) ─► (only events some trait counts) ─► group by person ─► value, evidence, due
                                                       └─► group by person and value ─► most frequent, different values ─┘

`due` is the next moment at which time alone changes a value: an event leaves its window, one from the future arrives, a value
is kept no longer. Until then what was computed stays right, so nobody has to be computed again just because time passed.
"""

from collections.abc import Callable, Sequence
from typing import Any

import ibis
import ibis.expr.types as ir

from cegla.segment.rules.calculations import MOST_VALUES, Counted, Events
from cegla.segment.rules.history import Column, Ground, Rows, property_number, property_text

NEVER: Any = ibis.literal("9999-01-01 00:00:00", type="timestamp")
LARGEST = 1e15  #: larger numbers are nothing anybody measured, and would make a sum inexact


def documents(named: Sequence[tuple[str, Counted]], events: Any, ground: Ground) -> ir.Table:
    """`person_id`, `document` (a JSON text: by key `v` value, `n` events it rests on, `e` the deciding event, `f` and `l` first and
    last of them, `h` how many decided, `c` how many currencies) and `due_at` (naive UTC, null: never). Who has no value is left out.
    """
    table = _counted(named, events, ground)
    known = {key: ibis.ifelse(table[f"n{number}"] > 0, _told(table, number), ibis.null()) for number, (key, _) in enumerate(named)}
    due: Any = ibis.least(*(table[f"d{number}"] for number in range(len(named))), NEVER)
    as_struct: Any = ibis.struct(known)
    some = ibis.or_(*(table[f"n{number}"] > 0 for number in range(len(named))))
    made = table.filter(some | (due < NEVER))
    return made.select(made.person_id, document=as_struct.cast("json").cast("string"), due_at=due.nullif(NEVER))


def columns(named: Sequence[tuple[str, Counted]], events: Any, ground: Ground) -> ir.Table:
    """`person_id` and for each trait a column under its key, null where it is unknown, also for counts, and one, `<key>.due`, when time changes it."""
    table = _counted(named, events, ground)
    known = {key: ibis.ifelse(table[f"n{number}"] > 0, table[f"v{number}"], ibis.null()) for number, (key, _) in enumerate(named)}
    return table.select("person_id", **known, **{f"{key}.due": table[f"d{number}"] for number, (key, _) in enumerate(named)})


def _told(table: Any, number: int) -> Any:
    return ibis.struct({name: table[f"{name}{number}"] for name in ("v", "n", "e", "f", "l", "h", "c") if f"{name}{number}" in table.columns})


def _counted(named: Sequence[tuple[str, Counted]], events: Any, ground: Ground) -> Any:
    """One row a person with all columns of all traits, numbered."""
    human = events.filter(~events["is_bot"].fill_null(False))
    asked = [Rows(human, ground).named(one.event, {"where": one.where}) for _, counted in named for one in (counted.events, counted.per) if one is not None]
    kept = human.filter(ibis.or_(*asked))
    rows = Rows(kept, ground)
    measures: dict[str, Column] = {}
    for number, (_, counted) in enumerate(named):
        measures |= {f"{name}{number}": value for name, value in _measures(counted, rows).items()}
    table: Any = kept.group_by("person_id").aggregate(**measures)
    for number, (_, counted) in enumerate(named):
        if (chosen := CHOSEN.get(counted.calculation.key)) is not None:
            of_each = chosen(counted, rows, number)
            table = table.left_join(of_each, table["person_id"] == of_each[f"owner{number}"]).drop(f"owner{number}")
    return _kept_only(named, table, ground)


def _kept_only(named: Sequence[tuple[str, Counted]], table: Any, ground: Ground) -> Any:
    """A value whose newest event is too old is unknown again, and `d` tells when time will change something."""
    added: dict[str, Column] = {}
    for number, (_, counted) in enumerate(named):
        dues: list[Any] = [table[f"next{number}"]]
        if counted.days is not None:
            dues.append(table[f"oldest{number}"] + ibis.interval(days=counted.days))
        if counted.retention_days is not None:
            last = table[f"l{number}"]
            added[f"n{number}"] = ibis.ifelse(last > ground.ago(counted.retention_days), table[f"n{number}"], 0)
            dues.append(ibis.ifelse(last > ground.ago(counted.retention_days), last + ibis.interval(days=counted.retention_days), ibis.null("timestamp")))
        added[f"d{number}"] = ibis.least(*(one.fill_null(NEVER) for one in dues))
        added[f"v{number}"] = _value(counted, table, number)
    return table.mutate(**added)


def _passing(rows: Rows, ground: Ground, events: Events, days: int | None) -> Column:
    return rows.named(events.event, {"days": days, "where": events.where}) & (rows["occurred_at"] <= ground.ago(0))


def _measures(counted: Counted, rows: Rows) -> dict[str, Column]:
    """The plain aggregates of one trait, by the letter of what they tell."""
    ground, subject = rows.ground, _subject(counted, rows.table)
    seen = _passing(rows, ground, counted.per or counted.events, counted.days)
    if subject is not None:
        seen = seen & subject.notnull()
    at, number = rows["occurred_at"], rows["event_id"]
    when = ibis.struct({"at": at, "number": number})
    decides = number.argmin(when, where=seen) if counted.calculation.key == "first" else number.argmax(when, where=seen)
    told: dict[str, Column] = {
        "n": rows.table.count(where=seen), "e": decides, "f": at.min(where=seen), "l": at.max(where=seen), "oldest": at.min(where=seen),
        "next": at.min(where=_future(counted, rows)),
    }  # fmt: skip
    if counted.kind == "money":
        told["c"] = rows["currency"].nunique(where=seen)
    match counted.calculation.key:
        case "sum" | "average":
            told["total"] = _exact(counted, subject).sum(where=seen)
        case "first":
            told["chosen"] = at.min(where=seen) if subject is None else subject.argmin(when, where=seen)
        case "last":
            told["chosen"] = at.max(where=seen) if subject is None else subject.argmax(when, where=seen)
        case "ratio":
            hits = _passing(rows, ground, counted.events, counted.days)
            told["h"] = rows.table.count(where=hits)
            told["oldest"] = at.min(where=hits | seen)
        case _:
            pass
    if counted.calculation.key not in (*CHOSEN, "ratio"):
        told["h"] = told["n"]
    return told


def _future(counted: Counted, rows: Rows) -> Column:
    named = [rows.named(one.event, {"where": one.where}) for one in (counted.events, counted.per) if one is not None]
    return ibis.or_(*named) & (rows["occurred_at"] > rows.ground.ago(0))


def _subject(counted: Counted, table: Any) -> Any:
    """What the trait looks at in an event: text, micros, or an exact number; None when it looks at nothing."""
    if counted.subject is None:
        return None
    how, what = counted.subject
    if counted.calculation.wants == "amount" and how == "property":
        value = property_number(table, what)
        return ibis.ifelse(value.between(-LARGEST, LARGEST), value, ibis.null("float64"))
    if how == "property":
        return property_text(table, what)
    return table["value_micros"] if what == "value" else table[what]


def _exact(counted: Counted, subject: Any) -> Any:
    """Numbers that add up to the same in any order: amounts are whole already, others count in millionths."""
    return subject if counted.kind == "money" else subject.cast("decimal(38, 6)")


def _value(counted: Counted, table: Any, number: int) -> Column:
    events = table[f"n{number}"]
    match counted.calculation.key:
        case "count":
            return events
        case "sum":
            total = table[f"total{number}"]
            return total.cast("int64") if counted.kind == "money" else total.cast("float64")
        case "average":
            total = table[f"total{number}"]
            return total.cast("int64") // events.nullif(0) if counted.kind == "money" else (total.cast("float64") / events.nullif(0)).round(6)
        case "ratio":
            return (table[f"h{number}"] / events.nullif(0)).round(6)
        case _:
            return table[f"chosen{number}"]


def _choices(counted: Counted, rows: Rows) -> Any:
    """How often each person showed each value, and when last."""
    subject = _subject(counted, rows.table)
    seen = rows.table.filter(_passing(rows, rows.ground, counted.events, counted.days) & subject.notnull())
    chosen = seen.mutate(shown=_subject(counted, seen))
    return chosen.group_by("person_id", "shown").aggregate(times=chosen.count(), last=chosen["occurred_at"].max())


def _most_frequent(counted: Counted, rows: Rows, number: int) -> Any:
    """Most often, then most recently, then the last by alphabet."""
    choices = _choices(counted, rows)
    place: Any = ibis.struct({"times": choices["times"], "last": choices["last"], "shown": choices["shown"]})
    best: Any = choices.group_by(**{f"owner{number}": choices["person_id"]}).aggregate(best=place.max())
    return best.select(f"owner{number}", **{f"chosen{number}": best["best"]["shown"], f"h{number}": best["best"]["times"]})


def _different(counted: Counted, rows: Rows, number: int) -> Any:
    """Newest first, then by alphabet."""
    choices = _choices(counted, rows)
    place: Any = ibis.struct({"ago": -choices["last"].epoch_seconds(), "shown": choices["shown"]})
    found: Any = choices.group_by(**{f"owner{number}": choices["person_id"]}).aggregate(all=place.collect())
    newest = found["all"].sort()[:MOST_VALUES]
    return found.select(f"owner{number}", **{f"chosen{number}": newest.map(lambda one: one["shown"]), f"h{number}": found["all"].length()})


CHOSEN: dict[str, Callable[[Counted, Rows, int], Any]] = {"most_frequent": _most_frequent, "unique_list": _different}
