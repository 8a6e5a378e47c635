"""From rules to one expression: the measures of all leaves become one aggregation per person, the trees become its columns.

    history of humans up to now ─► (only the people asked about) ─► (only the rows some leaf asks about) ─► group by person ─► decide

Rows nobody asks about are left unread only when no rule can hold for somebody without any row of interest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis
import ibis.expr.types as ir

from cegla.segment.rules import computing
from cegla.segment.rules.history import Column, Ground, Measure, Rows
from cegla.segment.rules.language import All, Leaf, Not, Rule, Seen, Some, leaves, question
from cegla.segment.rules.traits import TraitRow

LINE_COLUMNS = ("product", "category")


@dataclass(frozen=True)
class History:
    """The tables of the history with `person_id`, and the people to look at (a table of `person_id`; None: everybody).

    `traits` makes the table of `person_id` and one column a trait that need more than one pass over the history. `belonging` has
    for each question about accounts (`language.question`) a table of `person_id`, once for each account it is true of.
    """

    events: ir.Table
    order_lines: ir.Table
    traits: Callable[[], ir.Table]
    people: ir.Table | None = None
    belonging: Mapping[str, ir.Table] = field(default_factory=dict[str, ir.Table])


def membership(rules: Sequence[Rule], history: History, ground: Ground) -> ir.Table:
    """`person_id` and one boolean column a rule, `r0`, `r1`, …: whether it holds. People for whom none can hold may be absent."""
    every = [leaf for rule in rules for leaf in leaves(rule)]
    table, seen = _aggregated(every, history, ground, everybody=any(_empty(rule) for rule in rules))
    return table.select("person_id", **{f"r{number}": _holds(rule, seen, ground) for number, rule in enumerate(rules)})


def members(rule: Rule, history: History, ground: Ground) -> ir.Table:
    """`person_id` of everybody for whom the rule holds."""
    table, seen = _aggregated(leaves(rule), history, ground, everybody=_empty(rule))
    return table.filter(_holds(rule, seen, ground)).select("person_id")


def reasons(rule: Rule, history: History, ground: Ground) -> ir.Table:
    """For each person one row: for leaf number n, from left to right, `h<n>` whether it holds and `v<n>` the value seen."""
    every = leaves(rule)
    table, seen = _aggregated(every, history, ground, everybody=True)
    columns: dict[str, Column] = {}
    for number, leaf in enumerate(every):
        columns[f"h{number}"] = _holds(leaf, seen, ground)
        columns[f"v{number}"] = _shown(leaf, seen, ground)
    return table.select("person_id", **columns)


def _shown(leaf: Leaf, seen: Mapping[int, Seen], ground: Ground) -> Column:
    shows = leaf.operator.shows
    if shows is None:
        return ibis.null("string")
    return seen[id(leaf)][shows] if isinstance(shows, str) else shows(leaf.values, seen[id(leaf)], ground)


def _aggregated(every: Sequence[Leaf], history: History, ground: Ground, *, everybody: bool) -> tuple[Any, dict[int, Seen]]:
    """One row a person with every measure once, and for each leaf (by id) its measures by their own names."""
    mixed = any(parameter.name in LINE_COLUMNS for leaf in every for parameter in leaf.operator.parameters)
    past = _past(history, ground, mixed)
    wanted = [measure.where for leaf in every for measure in leaf.operator.measures(leaf.values, Rows(past, ground, mixed=mixed)).values()]
    asked = {where.op(): where for where in wanted if where is not None}
    found_elsewhere = {row.key: row for leaf in every if (row := leaf.values.get("row")) is not None and row.joined}
    joined = sorted(found_elsewhere)
    narrow = not everybody and not joined and all(where is not None for where in wanted)
    kept = past.filter(ibis.or_(*asked.values())) if narrow and asked else past
    rows = Rows(kept, ground, bare=narrow and len(asked) == 1, mixed=mixed)
    names: dict[Any, str] = {}
    places: list[dict[str, str]] = []
    for leaf in every:
        found: dict[str, Measure] = leaf.operator.measures(leaf.values, rows)
        places.append({key: names.setdefault(measure.value.op(), f"m{len(names)}") for key, measure in found.items()})
    table: Any = kept.group_by("person_id").aggregate(**{name: op.to_expr() for op, name in names.items()})
    for traits in _joined([found_elsewhere[key] for key in joined], history, ground):
        table = table.left_join(traits, table["person_id"] == traits["trait_owner"]).drop("trait_owner")
    asking = {id(leaf): question(leaf.values) for leaf in every if leaf.operator.group == "accounts"}
    numbers = {key: f"accounts{number}" for number, key in enumerate(sorted(set(asking.values())))}
    for key, name in numbers.items():
        counted = history.belonging[key].group_by("person_id").aggregate(**{name: lambda rows: rows.count()})
        table = _counted(table, counted, name)
    columns = {key: table[key] for key in joined}
    own = {leaf: {"accounts": table[numbers[key]]} for leaf, key in asking.items()}
    seen = {id(leaf): {key: table[name] for key, name in place.items()} for leaf, place in zip(every, places, strict=True)}
    return table, {leaf: {**columns, **found, **own.get(leaf, {})} for leaf, found in seen.items()}


def _counted(table: Any, counted: Any, name: str) -> Any:
    """The table with one column more: a count by person, null where there is none."""
    counts = counted.rename({f"{name}_of": "person_id"})
    return table.left_join(counts, table["person_id"] == counts[f"{name}_of"])


def _joined(rows: Sequence[TraitRow], history: History, ground: Ground) -> list[Any]:
    """Tables of the traits that are counted on their own: `trait_owner`, and a column a trait."""
    built_in = [row.key for row in rows if row.counted is None]
    computed = [(row.key, row.counted) for row in rows if row.counted is not None]
    tables: list[Any] = [history.traits().select(*built_in, trait_owner="person_id")] if built_in else []
    if computed:
        events: Any = history.events if history.people is None else history.events.semi_join(history.people, "person_id")
        counted = computing.columns(computed, events, ground)
        tables.append(counted.select(*(key for key, _ in computed), trait_owner="person_id"))
    return tables


def _past(history: History, ground: Ground, mixed: bool) -> Any:
    events = _up_to_now(history.events, history.people, ground)
    if not mixed:
        return events
    lines = _up_to_now(history.order_lines, history.people, ground).semi_join(events, "event_id")  # lines do not say whether a bot sent them
    text = ibis.null("string")
    events = events.mutate(is_line=ibis.literal(False), product=text, category=text)
    known = {column: lines[column] for column in lines.columns if column in events.columns}
    filled = {column: known.get(column, ibis.null(events[column].type())) for column in events.columns if column != "is_line"}
    return events.union(lines.select(**filled, is_line=ibis.literal(True)).select(*events.columns))


def _up_to_now(rows: Any, people: ir.Table | None, ground: Ground) -> Any:
    past = rows.filter(rows["occurred_at"] <= ground.ago(0))
    if "is_bot" in rows.columns:
        past = past.filter(~past["is_bot"].fill_null(False))
    return past if people is None else past.semi_join(people, "person_id")


def _holds(rule: Rule, seen: Mapping[int, Seen], ground: Ground) -> Column:
    match rule:
        case Leaf():
            return rule.operator.holds(rule.values, seen[id(rule)], ground).fill_null(False)
        case Not(inner):
            return ~_holds(inner, seen, ground)
        case All(inner):
            return ibis.and_(*(_holds(one, seen, ground) for one in inner))
        case Some(inner):
            return ibis.or_(*(_holds(one, seen, ground) for one in inner))


def _empty(rule: Rule) -> bool:
    """Whether the rule may hold for somebody without any row of interest; True when in doubt."""
    match rule:
        case Leaf():
            return rule.operator.empty(rule.values)
        case Not():
            return True
        case All(inner):
            return all(_empty(one) for one in inner)
        case Some(inner):
            return any(_empty(one) for one in inner)
