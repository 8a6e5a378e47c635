"""Many rules about some people, decided without a question to the warehouse for each: see `interpret`.

The same operators give the same expressions as for `compile`; here the measures are worked out over the people's rows in memory, and then the rules over
one row a person:

    rows ──steps──► measures ─┐
    answers of other stores ──┼─► one row a person ──steps──► r0, r1, … and due_at
    traits of several passes ─┘

A rule with something in it that neither can be worked out here nor fetched is among the `left`: it is for the warehouse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from cegla.segment.rules import compile as compiler
from cegla.segment.rules.arrays import Array, Beyond, from_arrow, is_plain
from cegla.segment.rules.history import Ground, Passing, Rows
from cegla.segment.rules.interpret import Frame, Steps, aligned
from cegla.segment.rules.language import Leaf, Question, Rule, leaves
from cegla.segment.rules.traits import TraitRow

LINES = {"product": "string", "category": "string", "is_line": "boolean"}
ORDER = ("person_id", "occurred_at", "event_id")  #: how the rows are sorted


@dataclass(frozen=True)
class Beside:
    """A table of `person_id`, one row a person, that is not worked out here: a prefix for its columns, and the table; of built-in traits their keys
    instead, since their table knows the moment."""

    prefix: str
    table: Any = None
    traits: tuple[str, ...] = ()


@dataclass
class Plan:
    """Rules made ready. `rows` and `people` say what they ask of the rows and of one row a person; `measures` are steps of `rows` by name, `tables` those
    steps that make a table a person, `beside` what is fetched whole, `holds` and `due` steps of `people`; `left` are rules (by number) for the warehouse."""

    rows: Steps
    people: Steps
    mixed: bool
    measures: dict[str, int] = field(default_factory=dict[str, int])
    tables: dict[str, int] = field(default_factory=dict[str, int])
    beside: list[Beside] = field(default_factory=list[Beside])
    holds: dict[int, int] = field(default_factory=dict[int, int])
    due: int = 0
    left: list[int] = field(default_factory=list[int])

    @property
    def row_columns(self) -> list[str]:
        """The columns of the rows that the steps look at, and what they are sorted by."""
        return sorted({*self.rows.named, *ORDER})


class _Maker:
    """Puts a plan together, rule by rule."""

    def __init__(self, events: Any, answers: Mapping[Question, Any], ground: Ground, *, mixed: bool) -> None:
        kinds = dict(events.schema().items())
        self.flat: Any = ibis.table({**kinds, **(LINES if mixed else {})}, name="rows")
        self.events: Any = self.flat.filter(~self.flat["is_line"]) if mixed else self.flat
        self.answers, self.ground, self.mixed = answers, ground, mixed
        self.names: dict[Any, tuple[str, Any]] = {}
        self.beside: dict[Any, tuple[str, Any]] = {}

    def leaf(self, plan: Plan, leaf: Leaf, rows: Rows) -> dict[str, tuple[str, Any]]:
        """The leaf's measures: by their own name that of a column a person, and its kind. Raises Beyond."""
        found = {key: self._measure(plan, measure.value) for key, measure in leaf.operator.measures(leaf.values, rows).items()}
        if leaf.operator.apart is not None:
            table = leaf.operator.apart(leaf.values, self.events, self.ground)
            prefix = self._table(plan, table)
            found |= {name: (f"{prefix}{name}", table[name].type()) for name in table.columns if name != "person_id"}
        elif (question := leaf.question) is not None:
            found |= self._fetched(plan, self.answers[question])
        return found

    def window(self, plan: Plan, inside: Any) -> tuple[str, Any]:
        """The oldest event in a window."""
        return self._measure(plan, self.flat["occurred_at"].min(where=inside))

    def traits(self, plan: Plan, rows: Sequence[TraitRow], history: compiler.History) -> dict[str, tuple[str, Any]]:
        """Traits of several passes, which the warehouse works out: all in one table each of built-in and of computed ones."""
        found: dict[str, tuple[str, Any]] = {}
        if keys := tuple(row.key for row in rows if row.counted is None):
            kinds = history.traits(keys).schema()
            found |= {key: (f"traits_{key}", kinds[key]) for key in keys}
            plan.beside.append(Beside("traits_", traits=keys))
        if computed := [row for row in rows if row.counted is not None]:
            [table] = compiler.trait_tables(computed, history, self.ground)
            found |= self._fetched(plan, table.rename(person_id="trait_owner"))
        return found

    def _measure(self, plan: Plan, value: Any) -> tuple[str, Any]:
        if value.op() not in self.names:
            place = plan.rows.place(value)
            self.names[value.op()] = f"m{len(self.names)}", value.type()
            plan.measures[self.names[value.op()][0]] = place
        return self.names[value.op()]

    def _table(self, plan: Plan, table: Any) -> str:
        if table.op() not in self.beside:
            place = plan.rows.place(table)
            prefix = f"t{len(self.beside)}_"
            self.beside[table.op()] = prefix, table
            plan.tables[prefix] = place
        return self.beside[table.op()][0]

    def _fetched(self, plan: Plan, table: Any) -> dict[str, tuple[str, Any]]:
        if table.op() not in self.beside:
            prefix = f"t{len(self.beside)}_"
            self.beside[table.op()] = prefix, table
            plan.beside.append(Beside(prefix, table))
        prefix = self.beside[table.op()][0]
        return {name: (f"{prefix}{name}", table[name].type()) for name in table.columns if name != "person_id"}


def plan(rules: Sequence[Rule], history: compiler.History, ground: Passing) -> Plan:
    """Rules made ready to be decided about whoever's rows are fetched, at any moment of the ground's day. `history` has the rows of some people, the
    answers, and their traits."""
    every = [leaf for rule in rules for leaf in leaves(rule)]
    mixed = any(parameter.name in compiler.LINE_COLUMNS for leaf in every for parameter in leaf.operator.parameters)
    maker = _Maker(history.events, history.answers, ground, mixed=mixed)
    made = Plan(Steps(maker.flat.op(), ground.moments), Steps(None, ground.moments), mixed)
    own: dict[int, dict[int, dict[str, tuple[str, Any]]]] = {}
    ends: dict[int, list[tuple[tuple[str, Any], int]]] = {}
    for number, rule in enumerate(rules):
        rows = Rows(maker.flat, ground, mixed=mixed)
        try:
            own[number] = {id(leaf): maker.leaf(made, leaf, rows) for leaf in leaves(rule)}
            ends[number] = [(maker.window(made, inside), days) for inside, days in rows.windows]
        except Beyond:
            own.pop(number, None)
            made.left.append(number)
    joined = {row.key: row for number in own for leaf in leaves(rules[number]) if (row := leaf.values.get("row")) is not None and row.joined}
    traits = maker.traits(made, [joined[key] for key in sorted(joined)], history)
    _decide(made, rules, own, ends, traits, ground)
    return made


def _decide(made: Plan, rules: Sequence[Rule], own: Any, ends: Any, traits: Mapping[str, tuple[str, Any]], ground: Ground) -> None:
    """The steps over one row a person: whether each rule holds, and when that may change."""
    columns = {name: kind for found in (*(leaf for one in own.values() for leaf in one.values()), traits) for name, kind in found.values()}
    columns |= {name: kind for one in ends.values() for (name, kind), _ in one}
    table: Any = ibis.table({"person_id": "int64", **columns}, name="people")
    made.people.base = table.op()
    shared = {key: table[name] for key, (name, _) in traits.items()}
    moments: list[Any] = [table[name] for key, (name, _) in traits.items() if key.endswith(".due")]
    for number, rule in enumerate(rules):
        if number not in own:
            continue
        seen = {leaf: {**shared, **{key: table[name] for key, (name, _) in found.items()}} for leaf, found in own[number].items()}
        try:
            decided = made.people.place(compiler.holds(rule, seen, ground))
            named = [moment for leaf in leaves(rule) for moment in leaf.operator.moments(leaf.values, seen[id(leaf)], ground)]
            for moment in named:
                made.people.place(moment)
        except Beyond:
            made.left.append(number)
            continue
        made.holds[number] = decided
        moments += [*named, *(table[name] + ibis.interval(days=days) for (name, _), days in ends[number])]
    made.due = made.people.place(compiler.earliest(moments, ground))


# running it ---------------------------------------------------------------------------------------------------------------


def rows_of(table: pa.Table) -> Frame:
    """Fetched rows, sorted by person and moment."""
    keys = [from_arrow(table[name]).values for name in ORDER]
    order = np.lexsort(tuple(reversed(keys)))
    return Frame(table.num_rows, lambda name: from_arrow(table[name]).take(order))


def counted(made: Plan, rows: Frame, beside: Mapping[str, pa.Table], now: int) -> "People":
    """One row a person with a row: the measures, and what was fetched whole (by prefix). Raises Beyond."""
    results = made.rows.run(rows, {*made.measures.values(), *made.tables.values()}, now)
    everybody = rows.people.values
    columns: dict[str, Array] = {"person_id": rows.people, **{name: results[place] for name, place in made.measures.items()}}
    others: dict[str, pa.Array[Any]] = {}
    for prefix, place in made.tables.items():
        table: Frame = results[place]
        names = [name.removeprefix(prefix) for name in made.people.looked_at if name.startswith(prefix)]
        columns |= aligned(everybody, {f"{prefix}{name}": table[name] for name in names}, table.people.values)
    for prefix, fetched in beside.items():
        owner = fetched["person_id"].to_numpy()
        order = np.argsort(owner, kind="stable")
        plain = [name for name in fetched.column_names if name != "person_id" and is_plain(fetched[name].type)]
        columns |= aligned(everybody, {f"{prefix}{name}": from_arrow(fetched[name]).take(order) for name in plain}, owner[order])
        where = pa.array(np.arange(len(order)))
        places = aligned(everybody, {"row": Array(order)}, owner[order])["row"].to_arrow(len(everybody), where.type)
        others |= {f"{prefix}{name}": fetched[name].combine_chunks().take(places) for name in fetched.column_names if name not in ("person_id", *plain)}
    return People(made, Frame(len(everybody), columns.__getitem__), others, now)


@dataclass(frozen=True)
class People:
    """One row a person: plain columns, and those that only the warehouse can read."""

    made: Plan
    frame: Frame
    others: "Mapping[str, pa.Array[Any]]"
    now: int

    def asked(self) -> pa.Table | None:
        """What the warehouse must be asked something about: `person_id` and the columns its answer rests on; None when there is nothing to ask."""
        if not self.made.people.asked:
            return None
        names = sorted(self.made.people.fetched_from - {"person_id"})
        kinds = self.made.people.base.schema
        columns = {name: self.others.get(name, None) for name in names}
        told = {name: self.frame[name].to_arrow(self.frame.size, kinds[name].to_pyarrow()) if column is None else column for name, column in columns.items()}
        return pa.table({"person_id": pa.array(self.frame["person_id"].values), **told})

    def decided(self, fetched: pa.Table | None) -> pa.Table:
        """`person_id`, for each rule in the order of `made.holds` a column r0, r1, … and `due_at`; `fetched` is the answer about `asked`. Raises Beyond."""
        size, also = self.frame.size, dict[str, Array]()
        if fetched is not None:
            order = np.argsort(fetched["person_id"].to_numpy(), kind="stable")
            also = {name: from_arrow(fetched[name]).take(order) for name in self.made.people.asked}
        frame = Frame(size, lambda name: also[name] if name in also else self.frame[name])
        results = self.made.people.run(frame, {*self.made.holds.values(), self.made.due}, self.now)
        columns = {f"r{number}": pa.array(np.broadcast_to(results[place].true(), (size,))) for number, place in enumerate(self.made.holds.values())}
        due = results[self.made.due].to_arrow(size, pa.timestamp("us"))
        return pa.table({"person_id": pa.array(frame["person_id"].values), **columns, "due_at": due})
