"""cegla import: a file becomes events in the inbox, here, and then the API is asked until intake has taken them in.

Without a mapping the file is looked at, and a mapping is proposed.
"""

import dataclasses
import inspect
import time
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.progress import Progress

from cegla.cli.desk import DRY, Api, AsJson, Desk, DryRun, Yes, desk_of
from cegla.cli.tables import both, facts, table
from cegla.collect import actions as collect
from cegla.storage.workspace import open_workspace
from cegla.vocabulary.errors.intake import FileUnreadable
from cegla.vocabulary.money import from_micros
from cegla.vocabulary.text import Text

File = Annotated[Path, typer.Argument(metavar="FILE")]
MapFile = Annotated[Path | None, typer.Option("--map", metavar="MAP.yaml")]
ErrorsFile = Annotated[Path | None, typer.Option("--errors", metavar="ERRORS.csv")]
ProposeFile = Annotated[Path | None, typer.Option("--propose", metavar="MAP.yaml")]
Number = Annotated[int, typer.Argument(metavar="IMPORT")]

#: Options of `cegla import`: kind and default. Those of ACQUIRED, source and basis say more than the mapping does.
OPTIONS: dict[str, tuple[Any, Any]] = {
    "map": (MapFile, None),
    "dry_run": (DryRun, False),
    "errors": (ErrorsFile, None),
    "propose": (ProposeFile, None),
    "source": (Annotated[str, typer.Option("--source")], ""),
    "basis": (Annotated[str, typer.Option("--basis", metavar="consent|contract|legal_obligation|legitimate_interest")], ""),
    "acquired_from": (Annotated[str, typer.Option("--from")], ""),
    "acquired_date": (Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD")], ""),
    "notice": (Annotated[str, typer.Option("--notice")], ""),
    "proof": (Annotated[str, typer.Option("--proof")], ""),
}
ACQUIRED = {"from": "acquired_from", "date": "acquired_date", "notice": "notice", "proof": "proof"}
STAGES = {"read": Text("Czytanie", "Reading"), "write": Text("Wiersze do skrzynki", "Rows to the inbox")}
TAKING_IN = Text("Przyjmowanie", "Taking in")
ROWS, USED, EVENTS, TOTAL = Text("Wierszy", "Rows"), Text("Wykorzystanych", "Used"), Text("Zdarzeń", "Events"), Text("Suma wartości", "Sum of totals")
NAME, COUNT, PROBLEM = Text("Zdarzenie", "Event"), Text("Liczba", "Count"), Text("Problem", "Problem")
COLUMN, SAMPLE, GOES, WHY = Text("Kolumna", "Column"), Text("Przykład", "Sample"), Text("Trafia do", "Goes to"), Text("Dlaczego", "Why")
WRITTEN, GUESS = Text("Zapis pliku", "The file's form"), Text("Odgadnięto", "Guessed")
NUMBER, FILE, STATE, WHEN, WHO = Text("Nr", "No"), Text("Plik", "File"), Text("Stan", "State"), Text("Kiedy", "When"), Text("Kto", "Who")
ERRORS_AT = Text("Odrzucone wiersze z powodami: {file}", "Refused rows with their reasons: {file}")
NEXT = Text("Cofnięcie całego importu: cegla import undo {number}", "To take the whole import back: cegla import undo {number}")
ASKED = Text("Do rozstrzygnięcia: {question}", "To decide: {question}")
PROPOSED = Text("Mapowanie zapisano w {file}. Sprawdź je, a potem: {next}", "The mapping is in {file}. Look it over, and then: {next}")
TO_PROPOSE = Text("Zapisz propozycję: cegla import {file} --propose mapping.yaml", "To keep the proposal: cegla import {file} --propose mapping.yaml")
THERE = Text("taki plik już jest; podaj inną nazwę", "this file exists; give another name")
UNDO_SURE = Text(
    "Import {number} zniknie: {events} zdarzeń, {people} osób. Czy na pewno?", "Import {number} will go: {events} events of {people} people. Are you sure?"
)
UNDOING = Text("Import jest cofany w tle: cegla import show {number}", "The import is being taken back: cegla import show {number}")
GONE = Text(
    "Import cofnięto: usunięto zdarzeń {events}; liczby mówią, co wniósł.", "The import was undone: {events} events are gone; the counts say what it brought."
)
PEOPLE = Text("Osób", "People")
WITHHELD = Text(
    "Wstrzymane wiersze: {rows}. Lista jest na podstawie zgody, a te wiersze nie mówią, że osoba zgodziła się na analizę (consents: analytics). "
    "Jeśli nie zgodziła się wcześniej, ich zdarzenia trafią do kwarantanny bez treści; decyzje z nich będą zapisane.",
    "Rows withheld: {rows}. The list is held by consent, and these rows do not say that their person agreed to analytics (consents: analytics). "
    "Unless they had agreed before, their events go to quarantine without content; their decisions are kept.",
)
FILLED = """\
# Proposed by `cegla import`. Look it over: docs/how-to/import-a-file.md; all fields: docs/reference/imports.md
# Fill in `acquired` before the import: where the list comes from, since when, and what people were told.
"""


def import_file(context: typer.Context, file: File, as_json: AsJson = False, **options: Any) -> None:
    """Import a file, or look at it when no mapping is given."""
    desk = desk_of(context, as_json)
    map, dry_run, errors = options["map"], options["dry_run"], options["errors"]
    told = {key: options[key] for key in ("source", "basis") if options[key]}
    if acquired := {key: options[option] for key, option in ACQUIRED.items() if options[option]}:
        told["acquired"] = acquired
    if map is None:
        _look(desk, file, options["propose"], told)
        return
    mapping = collect.read_mapping(_with(collect.load_values(map), told), str(map))
    if dry_run:
        with open_workspace(desk.settings) as ws, desk.progress() as bar:
            result = collect.import_file(ws, file, mapping, collect.Ear(errors, _Stages(desk, bar), desk.language), dry_run=True)
    else:
        result = _bring_in(desk, file, mapping, errors)
    desk.answer(_plain(result), _show)
    if errors is not None and result.errors:
        desk.tell(ERRORS_AT, file=errors)
    desk.tell(DRY if dry_run else NEXT, number=result.import_id)


def _declare(handler: Any) -> None:
    """Give `handler` the options of OPTIONS as if they stood in its signature, which is where typer looks."""
    plain = [parameter for parameter in inspect.signature(handler).parameters.values() if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    more = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind) for name, (kind, default) in OPTIONS.items()]
    handler.__signature__ = inspect.Signature([*plain, *more])
    handler.__annotations__ = {parameter.name: parameter.annotation for parameter in (*plain, *more)}


_declare(import_file)


def listed(context: typer.Context, limit: int = 50, as_json: AsJson = False) -> None:
    """Print imports, newest first."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get("/imports", limit=limit)
    rows = ([one["import"], one["file_name"], one["state"], _counts(one), one["created_at"], one["actor"]] for one in found["imports"])
    desk.answer(found, lambda desk, _: table(desk, [NUMBER, FILE, STATE, ROWS, WHEN, WHO], rows))


def show(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Print one import."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/imports/{number}")
    desk.answer(found, _show_import)


def resume(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Go on with an import that stopped."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/imports/{number}")
        if found["file_path"] is None:
            desk.answer(api.post(f"/imports/{number}/start"), _show_import)
            return
    result = _bring_in(desk, Path(found["file_path"]), collect.read_mapping(found["mapping"], f"import {number}"), None, number)
    desk.answer(_plain(result), _show)


def undo(context: typer.Context, number: Number, dry_run: DryRun = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Take an import back, or count what would go."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        counted = api.post(f"/imports/{number}/undo", {"dry_run": True})
        if not dry_run:
            desk.confirm(UNDO_SURE, yes, number=number, **counted["counts"])
            counted = api.post(f"/imports/{number}/undo", {"dry_run": False})
    desk.answer(counted, lambda desk, value: facts(desk, [(EVENTS, value["counts"]["events"]), (PEOPLE, value["counts"]["people"])]))
    desk.tell(DRY if dry_run else UNDOING, number=number)


class _Stages:
    """The progress of an import as bars, one a stage, with rows a second and the time left."""

    def __init__(self, desk: Desk, bar: Progress) -> None:
        self._desk, self._bar = desk, bar
        self._tasks: dict[str, Any] = {}

    def __call__(self, stage: str, done: int, of: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = (self._bar.add_task("", total=of or None), time.monotonic())
        task, started = self._tasks[stage]
        seconds = time.monotonic() - started
        name = self._desk.say(STAGES.get(stage, Text(stage, stage)))
        rate = done / seconds if seconds > 1 else 0.0
        left = f", {(of - done) / rate:.0f} s" if rate and of > done else ""
        self._bar.update(task, completed=done, total=of or None, description=f"{name} {rate:,.0f}/s{left}" if rate else name)


def _bring_in(desk: Desk, file: Path, mapping: Any, errors: Path | None, resumed: int | None = None) -> Any:
    with desk.api() as api, open_workspace(desk.settings) as ws, desk.progress() as bar:
        result = collect.import_file(ws, file, mapping, collect.Ear(errors, _Stages(desk, bar), desk.language), resumed=resumed)
        _wait(desk, api, bar)
    return result


def _wait(desk: Desk, api: Api, bar: Progress) -> None:
    """Until history, profiles and segments hold everything that was sent."""
    task = bar.add_task(desk.say(TAKING_IN), total=None)
    most = 0
    while (waiting := (status := api.get("/status"))["events"]["waiting"]) or status["refreshed"] < status["batch"]:
        most = max(most, waiting)
        bar.update(task, completed=most - waiting, total=most)
        time.sleep(0.2)


def _look(desk: Desk, file: Path, propose: Path | None, told: dict[str, Any]) -> None:
    """Say what a file seems to be, and write the proposed mapping down when asked to."""
    found = collect.examine(file, file.name, desk.settings.timezone)
    mapping = _with(found.mapping, told)
    if propose is not None:
        text = FILLED + yaml.safe_dump(mapping, allow_unicode=True, sort_keys=False, width=120)
        try:
            with propose.open("x", encoding="utf-8") as out:
                out.write(text)
        except FileExistsError:
            raise FileUnreadable(where=str(propose), detail=THERE) from None
        except OSError as error:
            raise FileUnreadable(where=str(propose), detail=type(error).__name__) from None
    desk.answer(_as_json(found, mapping), lambda desk, _: _show_found(desk, found))
    for question in found.questions:
        desk.tell(ASKED, question=desk.say(question))
    if propose is not None:
        desk.tell(PROPOSED, file=propose, next=f"cegla import {file} --map {propose} --dry-run")
    else:
        desk.tell(TO_PROPOSE, file=file)


def _with(values: Any, told: dict[str, Any]) -> Any:
    """A mapping with what the options say of source, basis and origin."""
    if not isinstance(values, dict) or not told:
        return values
    acquired = {**(values.get("acquired") or {}), **told.get("acquired", {})}
    return {**values, **told, **({"acquired": acquired} if acquired else {})}


def _as_json(found: collect.Examined, mapping: Any) -> dict[str, Any]:
    return {
        "format": found.format, "kind": found.kind, "form": found.form.model_dump(mode="json"),
        "guessed": [{"field": one.field, "value": one.value, "reason": one.reason._asdict(), "sure": one.sure} for one in found.guessed],
        "columns": [{"name": one.name, "samples": one.samples, "reason": one.reason._asdict()} for one in found.columns],
        "proposals": [{"place": one.place, "column": one.column, "reason": one.reason._asdict()} for one in found.proposals],
        "questions": [question._asdict() for question in found.questions], "mapping": mapping,
    }  # fmt: skip


def _show_found(desk: Desk, found: collect.Examined) -> None:
    table(desk, [WRITTEN, GUESS, WHY], [[one.field, repr(one.value) if one.field == "separator" else one.value, desk.say(one.reason)] for one in found.guessed])
    places: dict[str, list[str]] = {}
    for one in found.proposals:
        places.setdefault(one.column, []).append(one.place)
    rows = [[one.name, (one.samples or ("",))[0][:40], ", ".join(places.get(one.name, ["-"])), desk.say(one.reason)] for one in found.columns]
    table(desk, [COLUMN, SAMPLE, GOES, WHY], rows)


def _counts(one: dict[str, Any]) -> str:
    return f"{one['rows_done']}/{one['rows_about']}" if one["result"] is None else f"{one['result']['rows_used']}/{one['result']['rows']}"


def _show_import(desk: Desk, value: dict[str, Any]) -> None:
    problem = both(value["problem"], desk.language) if value["problem"] else ""
    rows = [(NUMBER, value["import"]), (FILE, value["file_name"]), (STATE, value["state"]), (ROWS, _counts(value)), (PROBLEM, problem)]
    facts(desk, [*rows, (WHO, value["actor"]), (WHEN, value["created_at"])])
    if value["state"] == "undone":
        desk.tell(GONE, events=value["events_undone"] or 0)
    if value["result"]:
        table(desk, [NAME, COUNT], value["result"]["by_name"].items())


def _plain(result: Any) -> dict[str, Any]:
    shape = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    problems = {str(problem): count for problem, count in result.problems().items()}
    total = None if result.total_micros is None else str(from_micros(result.total_micros))
    return {**shape, "errors": len(result.errors), "problems": problems, "total": total}


def _show(desk: Desk, value: dict[str, Any]) -> None:
    facts(desk, [(ROWS, value["rows"]), (USED, value["rows_used"]), (EVENTS, value["events"]), (TOTAL, value["total"])])
    table(desk, [NAME, COUNT], value["by_name"].items())
    if value["problems"]:
        table(desk, [PROBLEM, COUNT], [(desk.say(collect.PROBLEMS[problem]), count) for problem, count in value["problems"].items()])
    if value["rows_withheld"]:
        desk.tell(WITHHELD, rows=value["rows_withheld"])
