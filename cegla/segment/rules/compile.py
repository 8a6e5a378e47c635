"""From rules to one expression: the measures of all leaves become one aggregation per person, the trees become its columns.

    history of humans up to now ─► (only the people asked about) ─► (only the rows some leaf asks about) ─► group by person ─► decide
                                └─► passes of their own: sequences, traits counted apart ─────────────────────┘   ▲
                                                         answers of other stores: consents, findings, accounts ───┘

Rows nobody asks about are left unread only when no rule can hold for somebody without any row of interest.

Time alone moves people, too. Besides its answers a person's row says when that may happen next, `due_at`: when the oldest event in some window
leaves it, or a moment that an operator names. Until then nobody has to look at the person again, unless something new is known.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from cegla.segment.rules import computing
from cegla.segment.rules.history import Column, Ground, Measure, Rows, conjuncts
from cegla.segment.rules.language import All, Leaf, Not, Question, Rule, Seen, Some, leaves
from cegla.segment.rules.traits import TraitRow

LINE_COLUMNS = ("product", "category")
ALWAYS = frozenset({"person_id", "event_id", "occurred_at", "is_bot", "name"})  #: columns that every question looks at
NEVER: Any = ibis.literal("9999-01-01 00:00:00", type="timestamp")


@dataclass(frozen=True)
class History:
    """The tables of the history with `person_id`, and the people to look at (a table of `person_id`; None: everybody).

    `traits` makes the table of `person_id` and one column for each of these traits, which need more than one pass over the history. `answers` has
    for each question that another store was asked a table of `person_id`, nobody twice, and the answer's columns. `narrow` makes the events as if
    they had only some columns. `bare` are the events without `person_id`, where nobody needs to know whose they are.
    """

    events: ir.Table
    order_lines: ir.Table
    traits: Callable[[Sequence[str]], ir.Table]
    people: ir.Table | None = None
    answers: Mapping[Question, ir.Table] = field(default_factory=dict[Question, ir.Table])
    narrow: Callable[[Collection[str]], ir.Table] | None = None
    bare: ir.Table | None = None


@dataclass
class Counted:
    """One row a person with every measure once; by leaf its measures under their own names, and the moments at which one of its windows loses an event."""

    table: Any
    seen: Mapping[int, Seen]
    ends: list[Column]


def membership(rules: Sequence[Rule], history: History, ground: Ground) -> ir.Table:
    """`person_id`, one boolean column a rule, `r0`, `r1`, …: whether it holds, and `due_at`: when time alone may change one of them (null: never).

    People for whom none can hold, now or later, may be absent.
    """
    every = [leaf for rule in rules for leaf in leaves(rule)]
    history = _narrowed(rules, history, ground)
    counted = _aggregated(every, history, ground, everybody=any(_empty(rule) for rule in rules), ending=True)
    moments = [*counted.ends, *(moment for leaf in every for moment in leaf.operator.moments(leaf.values, counted.seen[id(leaf)], ground))]
    answers = {f"r{number}": holds(rule, counted.seen, ground) for number, rule in enumerate(rules)}
    return counted.table.select("person_id", **answers, due_at=earliest(moments, ground))


def earliest(moments: Sequence[Column], ground: Ground) -> Column:
    """The first of these moments that is still to come; null when none is."""
    now = ground.ago(0)
    different = {moment.op(): moment for moment in moments}
    ahead: list[Any] = [ibis.ifelse(moment > now, moment, NEVER).fill_null(NEVER) for moment in different.values()]
    return ibis.least(*ahead, NEVER).nullif(NEVER) if ahead else ibis.null("timestamp")


def members(rule: Rule, history: History, ground: Ground) -> ir.Table:
    """`person_id` of everybody for whom the rule holds."""
    counted = _aggregated(leaves(rule), _narrowed([rule], history, ground), ground, everybody=_empty(rule))
    return counted.table.filter(holds(rule, counted.seen, ground)).select("person_id")


def reasons(rule: Rule, history: History, ground: Ground) -> ir.Table:
    """For each person one row: for leaf number n, from left to right, `h<n>` whether it holds and `v<n>` the value seen."""
    every = leaves(rule)
    counted = _aggregated(every, _narrowed([rule], history, ground), ground, everybody=True)
    columns: dict[str, Column] = {}
    for number, leaf in enumerate(every):
        columns[f"h{number}"] = holds(leaf, counted.seen, ground)
        columns[f"v{number}"] = _shown(leaf, counted.seen, ground)
    return counted.table.select("person_id", **columns)


def values_of(leaf: Leaf, value: Callable[[Any, Seen, Ground], Column], history: History, ground: Ground) -> ir.Table:
    """One column `value` of everybody of whom it is known: what an operator compares."""
    counted = _aggregated([leaf], _narrowed([leaf], history, ground), ground, everybody=True)
    found = counted.table.select(value=value(leaf.values, counted.seen[id(leaf)], ground))
    return found.filter(found["value"].notnull())


def _narrowed(rules: Sequence[Rule], history: History, ground: Ground) -> History:
    return history if history.narrow is None else replace(history, events=history.narrow(columns_of(rules, history, ground)), narrow=None)


def columns_of(rules: Sequence[Rule], history: History, ground: Ground) -> list[str]:
    """The columns of the events that these rules look at, without those that only built-in traits of several passes do."""
    every = [leaf for rule in rules for leaf in leaves(rule)]
    flat: Any = _flat(history)
    rows, looked_at = Rows(flat, ground, mixed=True), list[Any]()
    computed = {row.key: row.counted for leaf in every if (row := leaf.values.get("row")) is not None and row.counted is not None}
    for leaf in every:
        looked_at += [value for measure in leaf.operator.measures(leaf.values, rows).values() for value in measure if value is not None]
        if leaf.operator.apart is not None and (beside := leaf.operator.apart(leaf.values, flat, ground)) is not None:
            looked_at.append(beside)
    if computed:
        looked_at.append(computing.columns(list(computed.items()), flat, ground))
    found = {one.name for expression in looked_at for one in expression.op().find(ops.Field)}
    return sorted((found | ALWAYS).intersection(history.events.columns) - {"person_id"})


def coming(events: ir.Table, ground: Ground) -> ir.Table:
    """`person_id` and `due_at` of everybody with an event that lies ahead: a clock that is fast, or a date that is planned."""
    human = _human(events)
    ahead = human.filter(human["occurred_at"] > ground.ago(0))
    return ahead.group_by("person_id").aggregate(due_at=ahead["occurred_at"].min())


def _shown(leaf: Leaf, seen: Mapping[int, Seen], ground: Ground) -> Column:
    shows = leaf.operator.shows
    if shows is None:
        return ibis.null("string")
    return seen[id(leaf)][shows] if isinstance(shows, str) else shows(leaf.values, seen[id(leaf)], ground)


def _aggregated(every: Sequence[Leaf], history: History, ground: Ground, *, everybody: bool, ending: bool = False) -> Counted:
    """`ending`: also when windows lose an event, which costs one more aggregate each."""
    mixed = any(parameter.name in LINE_COLUMNS for leaf in every for parameter in leaf.operator.parameters)
    asked = _asked(every, history, ground, mixed)
    found_elsewhere = {row.key: row for leaf in every if (row := leaf.values.get("row")) is not None and row.joined}
    joined = sorted(found_elsewhere)
    apart = any(leaf.operator.apart is not None or leaf.question is not None for leaf in every)
    narrow = not everybody and not joined and not apart and all(where is not None for where in asked.conditions)
    past = _lines_up_to_now(history, ground) if narrow and asked.only_lines else rows_up_to_now(history, ground, mixed)
    kept, given = asked.kept(past) if narrow and asked.conditions else (past, frozenset[Any]())
    rows = Rows(kept, ground, given=given, mixed=mixed)
    names: dict[Any, str] = {}
    places: list[dict[str, str]] = []
    for leaf in every:
        found: dict[str, Measure] = leaf.operator.measures(leaf.values, rows)
        places.append({key: names.setdefault(measure.value.op(), f"m{len(names)}") for key, measure in found.items()})
    oldest = {names.setdefault(kept["occurred_at"].min(where=rows.less(inside)).op(), f"m{len(names)}"): days for inside, days in rows.windows if ending}
    table: Any = kept.group_by("person_id").aggregate(**{name: op.to_expr() for op, name in names.items()})
    if not everybody and not names and not joined and all(leaf.operator.apart is not None for leaf in every):
        return _found_apart(every, history, ground)
    seen = {id(leaf): {key: table[name] for key, name in place.items()} for leaf, place in zip(every, places, strict=True)}
    ends: list[Column] = [table[name] + ibis.interval(days=days) for name, days in oldest.items()]
    if not joined and not apart:
        return Counted(table, seen, ends)
    table, also, dues = _beside(table, every, [found_elsewhere[key] for key in joined], history, ground)
    ends = [table[name] + ibis.interval(days=days) for name, days in oldest.items()]
    ends += [table[name] for name in dues]
    columns = {key: table[key] for key in joined}
    own = {id(leaf): {key: table[name] for key, name in place.items()} for leaf, place in zip(every, places, strict=True)}
    return Counted(table, {leaf: {**columns, **found, **{key: table[name] for key, name in also.get(leaf, {}).items()}} for leaf, found in own.items()}, ends)


@dataclass(frozen=True)
class _Asked:
    """What the measures of some leaves ask of a row, said of a table that stands for the history: each condition, None: nothing is asked."""

    flat: Any
    conditions: Sequence[Column | None]
    only_lines: bool

    def kept(self, past: Any) -> tuple[Any, frozenset[Any]]:
        """The rows that some condition asks for, and what of the conditions holds for each of these rows, since all ask for it."""
        parts = [conjuncts(one) for one in self.conditions]
        common = [one for one in parts[0] if all(one in other for other in parts[1:])]
        rest = list(dict.fromkeys(tuple(one for one in part if one not in common) for part in parts))
        others = [] if () in rest else [ibis.or_(*(ibis.and_(*(one.to_expr() for one in part)) for part in rest))]
        whole: Any = ibis.and_(*(one.to_expr() for one in common), *others)
        kept = past.filter(whole.op().replace({self.flat.op(): past.op()}).to_expr())
        return kept, frozenset(one.replace({self.flat.op(): kept.op()}) for one in common)


def _asked(every: Sequence[Leaf], history: History, ground: Ground, mixed: bool) -> _Asked:
    flat = _flat(history)
    rows = Rows(flat, ground, mixed=mixed)
    conditions = [one.where for leaf in every for one in leaf.operator.measures(leaf.values, rows).values()]
    return _Asked(flat, conditions, mixed and not rows.of_events)


def _flat(history: History) -> Any:
    """A table with every column that a row of the history may have, events and order lines."""
    named = {"person_id": "int64", **dict(history.events.schema().items())}
    return ibis.table({**named, **dict.fromkeys(LINE_COLUMNS, "string"), "is_line": "boolean"}, name="asked")


def _found_apart(every: Sequence[Leaf], history: History, ground: Ground) -> Counted:
    """The same where passes of their own say all there is to know: nobody is in who was not found by one of them."""
    events = _up_to_now(history.events, history.people, ground)
    found = [leaf.operator.apart(leaf.values, events, ground).select("person_id") for leaf in every if leaf.operator.apart is not None]
    everybody: Any = found[0] if len({one.op() for one in found}) == 1 else ibis.union(*found, distinct=True)
    table, also, _ = _beside(everybody, every, (), history, ground)
    return Counted(table, {id(leaf): {key: table[name] for key, name in also[id(leaf)].items()} for leaf in every}, [])


def _beside(table: Any, every: Sequence[Leaf], rows: Sequence[TraitRow], history: History, ground: Ground) -> tuple[Any, dict[int, dict[str, str]], list[str]]:
    """The table with the columns of everything that is not counted with it; by leaf their names, and the names of moments that are due."""
    dues: list[str] = []
    joined, shown = table, list(table.columns)  # one chain of joins: a question within a question for each of them would be too deep to be written
    for number, traits in enumerate(trait_tables(rows, history, ground)):
        dues += [name for name in traits.columns if name.endswith(".due")]
        shown += [name for name in traits.columns if name != "trait_owner"]
        owned = traits.rename({f"t{number}_of": "trait_owner"})
        joined = joined.left_join(owned, table["person_id"] == owned[f"t{number}_of"])
    also: dict[int, dict[str, str]] = {}
    known: dict[Any, dict[str, str]] = {}
    for leaf in every:
        found: Any = None
        if leaf.operator.apart is not None:
            found = leaf.operator.apart(leaf.values, _up_to_now(history.events, history.people, ground), ground)
        elif (question := leaf.question) is not None:
            found = history.answers[question]
        if found is None:
            continue
        if (names := known.get(found.op())) is None:
            prefix = f"b{len(known)}_"
            known[found.op()] = names = {name: f"{prefix}{name}" for name in found.columns if name != "person_id"}
            renamed = found.rename({f"{prefix}of": "person_id", **{new: old for old, new in names.items()}})
            joined = joined.left_join(renamed, table["person_id"] == renamed[f"{prefix}of"])
            shown += names.values()
        also[id(leaf)] = names
    return joined.select(*shown), also, dues


def trait_tables(rows: Sequence[TraitRow], history: History, ground: Ground) -> list[Any]:
    """Tables of the traits that are counted on their own: `trait_owner`, and a column a trait; of computed ones also when it is due, `<key>.due`."""
    built_in = [row.key for row in rows if row.counted is None]
    computed = [(row.key, row.counted) for row in rows if row.counted is not None]
    tables: list[Any] = [history.traits(built_in).select(*built_in, trait_owner="person_id")] if built_in else []
    if computed:
        tables.append(computing.columns(computed, _of_people(history.events, history.people), ground).rename(trait_owner="person_id"))
    return tables


def rows_up_to_now(history: History, ground: Ground, mixed: bool) -> Any:
    """The events of humans up to now; `mixed` with the order lines among them."""
    events = _up_to_now(history.events, history.people, ground)
    if not mixed:
        return events
    text = ibis.null("string")
    every = events.mutate(is_line=ibis.literal(False), product=text, category=text)
    return every.union(_lines_up_to_now(history, ground).select(*every.columns))


def _lines_up_to_now(history: History, ground: Ground) -> Any:
    """The order lines of humans up to now, with the columns of the events."""
    events = _up_to_now(history.events, history.people, ground)
    humans = events if history.bare is None else _up_to_now(history.bare, None, ground)
    lines = _up_to_now(history.order_lines, history.people, ground).semi_join(humans, "event_id")  # lines do not say whether a bot sent them
    known = {column: lines[column] for column in (*LINE_COLUMNS, *events.columns) if column in lines.columns}
    missing = {column: ibis.null(events[column].type()) for column in events.columns if column not in known}
    return lines.select(**known, **missing, is_line=ibis.literal(True))


def _up_to_now(rows: Any, people: ir.Table | None, ground: Ground) -> Any:
    return _of_people(_human(rows.filter(rows["occurred_at"] <= ground.ago(0))), people)


def _human(rows: Any) -> Any:
    return rows.filter(~rows["is_bot"].fill_null(False)) if "is_bot" in rows.columns else rows


def _of_people(rows: Any, people: ir.Table | None) -> Any:
    return rows if people is None else rows.semi_join(people, "person_id")


def holds(rule: Rule, seen: Mapping[int, Seen], ground: Ground) -> Column:
    """Whether a rule holds for a person, from the measures of its leaves."""
    match rule:
        case Leaf():
            if rule.inner is not None:
                return holds(rule.inner, seen, ground)
            return rule.operator.holds(rule.values, seen[id(rule)], ground).fill_null(False)
        case Not(inner):
            return ~holds(inner, seen, ground)
        case All(inner):
            return ibis.and_(*(holds(one, seen, ground) for one in inner))
        case Some(inner):
            return ibis.or_(*(holds(one, seen, ground) for one in inner))


def _empty(rule: Rule) -> bool:
    """Whether the rule may hold for somebody without any row of interest; True when in doubt."""
    match rule:
        case Leaf():
            return rule.operator.empty(rule.values) if rule.inner is None else _empty(rule.inner)
        case Not():
            return True
        case All(inner):
            return all(_empty(one) for one in inner)
        case Some(inner):
            return any(_empty(one) for one in inner)
