"""cegla plan: propose, check, compare and apply tracking plans. Checking and comparing files needs no installation."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cegla.cli.desk import DRY, Api, AsJson, Desk, DryRun, desk_of
from cegla.cli.files import text_of
from cegla.cli.sources import source_meant
from cegla.cli.tables import table
from cegla.plan import actions as plan
from cegla.vocabulary.errors import NotFound, WrongUsage
from cegla.vocabulary.errors.intake import PlanInvalid
from cegla.vocabulary.text import Text

SourceName = Annotated[str, typer.Option("--source", metavar="SOURCE")]
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN.yaml")]
Side = Annotated[str, typer.Argument(metavar="FILE|VERSION")]
EventsFile = Annotated[Path | None, typer.Option("--events", metavar="EVENTS.jsonl")]
MaybeFile = Annotated[Path | None, typer.Argument(metavar="[PLAN.yaml]")]

WHERE, WHAT, BREAKS = Text("Gdzie", "Where"), Text("Co", "What"), Text("Psuje", "Breaks")
VERSION, BY, AT, HOLDS = Text("Wersja", "Version"), Text("Kto", "By"), Text("Kiedy", "When"), Text("Obowiązuje", "Holds")
GOOD = Text("Plan jest poprawny: zdarzeń w planie {planned}, sprawdzonych {checked}.", "The plan is valid: {planned} events planned, {checked} checked.")
SAME = Text("Plany są takie same.", "The plans are the same.")
APPLIED = Text("Obowiązuje wersja {version}.", "Version {version} holds now.")
NEXT = Text("Zapisz to do pliku, popraw i sprawdź: cegla plan check PLIK", "Save this to a file, correct it and check it: cegla plan check FILE")
GONE = Text("Źródło nie ma już planu.", "The source has no plan any more.")


def infer(context: typer.Context, source: SourceName, days: int = 30, as_json: AsJson = False) -> None:
    """Propose a plan from what a source sent."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/sources/{source_meant(api, source)}/plan/proposal", days=days)
    desk.answer(found, lambda desk, value: desk.write(value["text"]))
    desk.tell(NEXT)


def check(context: typer.Context, plan_file: PlanFile, events: EventsFile = None, as_json: AsJson = False) -> None:
    """Check a plan, and events against it; exit code 3 when something is wrong."""
    desk = desk_of(context, as_json)
    report = plan.check(text_of(plan_file), _lines(events), desk.settings.collector)
    problems = [_problem(plan_file, one) for one in report.problems] + [_problem(events, one) for one in report.wrong]
    planned = len(report.plan.events) if report.plan else 0
    answer = {"ok": not problems, "planned": planned, "checked": report.events, "problems": problems}
    desk.answer(answer, _checked)
    if problems:
        raise typer.Exit(3)


def diff(context: typer.Context, old: Side, new: Side, source: SourceName = "", as_json: AsJson = False) -> None:
    """Compare two plans, each a file or a version of a source's plan; exit code 0 also when they differ."""
    desk = desk_of(context, as_json)
    one, other = _side(desk, old, source), _side(desk, new, source)
    _read(other)
    found = [
        {"where": row.where, "what": {"pl": row.what.pl, "en": row.what.en}, "breaking": row.breaking} for row in plan.check(other).since(_read(one))
    ]
    desk.answer({"differences": found}, lambda desk, value: _differences(desk, value["differences"]))


def apply(
    context: typer.Context, plan_file: MaybeFile = None, source: SourceName = "", version: int | None = None, dry_run: DryRun = False, as_json: AsJson = False
) -> None:
    """Make a plan hold for a source: a file, or again an older version of it."""
    desk = desk_of(context, as_json)
    if (plan_file is None) == (version is None) or not source:
        raise WrongUsage(where="PLAN.yaml", detail=desk.say(Text("podaj --source i plik albo --version", "give --source and either a file or --version")))
    with desk.api() as api:
        place = f"/sources/{source_meant(api, source)}/plan"
        text = text_of(plan_file) if plan_file is not None else api.get(place, version=version)["text"]
        done = api.post(place, {"text": text, "dry_run": dry_run})
    desk.answer(done, lambda desk, value: _differences(desk, value["differences"]))
    desk.tell(DRY if dry_run else APPLIED, version=done["version"])


def withdraw(context: typer.Context, source: SourceName, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Let go of a source's plan; its versions are kept."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        done = api.post(f"/sources/{source_meant(api, source)}/plan", {"text": None, "dry_run": dry_run})
    desk.answer(done, lambda desk, _: desk.tell(DRY if dry_run else GONE))


def show(context: typer.Context, source: SourceName, version: int | None = None, as_json: AsJson = False) -> None:
    """Print the plan that holds, or one version, as it was written."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/sources/{source_meant(api, source)}/plan", version=version)
    desk.answer(found, lambda desk, value: desk.write(value["text"]))


def listed(context: typer.Context, source: SourceName, as_json: AsJson = False) -> None:
    """Print every version of a source's plan."""
    desk = desk_of(context, as_json)
    with desk.api() as api:
        found = api.get(f"/sources/{source_meant(api, source)}/plan/versions")
    desk.answer(
        found,
        lambda desk, value: table(
            desk, [VERSION, HOLDS, BY, AT], ([one["version"], one["active"], one["made_by"], one["made_at"]] for one in value["versions"])
        ),
    )


def schema(context: typer.Context, plan_file: PlanFile, event: str, as_json: AsJson = False) -> None:
    """Print an event of a plan as JSON Schema; a JSON Schema file is read as a plan, too."""
    desk = desk_of(context, as_json=True)
    _read(text_of(plan_file))
    found = plan.check(text_of(plan_file)).schema(event)
    if found is None:
        raise NotFound(where=str(plan_file), seen=event, thing=event)
    desk.answer(found, lambda *_: None)


def _lines(file: Path | None) -> list[str]:
    return [] if file is None else text_of(file).split("\n")  # splitlines would also cut at characters that JSON texts may hold


def _read(text: str) -> Any:
    report = plan.check(text)
    if report.plan is None:
        first = report.problems[0]
        raise PlanInvalid(where=first.where, line=first.line, detail=first.what, count=len(report.problems))
    return report.plan


def _side(desk: Desk, text: str, source: str) -> str:
    if not text.isdigit() or Path(text).exists():
        return text_of(Path(text))
    with desk.api() as api:
        return _version(api, source, int(text))


def _version(api: Api, source: str, version: int) -> str:
    return str(api.get(f"/sources/{source_meant(api, source)}/plan", version=version)["text"])


def _problem(file: Path | None, one: Any) -> dict[str, Any]:
    return {"file": str(file), "line": one.line, "where": one.where, "what": {"pl": one.what.pl, "en": one.what.en}}


def _checked(desk: Desk, found: dict[str, Any]) -> None:
    for one in found["problems"]:
        sys.stdout.write(f"{one['file']}:{one['line']}: {one['where'] + ': ' if one['where'] else ''}{one['what'][desk.language]}\n")
    if found["ok"]:
        desk.tell(GOOD, **found)


def _differences(desk: Desk, found: list[dict[str, Any]]) -> None:
    if not found:
        desk.tell(SAME)
    else:
        table(desk, [BREAKS, WHERE, WHAT], (["!" if one["breaking"] else "", one["where"], one["what"]] for one in found))
