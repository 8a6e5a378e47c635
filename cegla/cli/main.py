"""The `cegla` command: finds the settings and the language, runs one command, says what went wrong, ends with its exit code."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog
import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from cegla.cli.command import Command
from cegla.cli.commands import COMMANDS, DEFAULTS, GROUPS
from cegla.cli.desk import Desk, OpenDoor, Problem, Voice
from cegla.cli.usage import speaking, wrong_usage
from cegla.cli.words import WORDS
from cegla.storage.settings import Settings, load_settings
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.text import Language, Text

INTERRUPTED = 130
ABOUT = Text("Cegla: platforma danych o klientach.", "Cegla: a customer data platform.")
EXAMPLES = Text("Przykłady:", "Examples:")


def run(argv: Sequence[str], open_door: OpenDoor, start: Callable[[Settings], Any]) -> None:
    """Run one command and end the process. `open_door` reaches the API, `start` starts an installation."""
    sys.exit(exit_code(argv, open_door, start))


def exit_code(argv: Sequence[str], open_door: OpenDoor, start: Callable[[Settings], Any]) -> int:
    """Run one command; the answer is its exit code (docs/reference/cli.md)."""
    language = language_of(os.environ)
    _log_to_standard_error()
    try:
        desk = Desk(load_settings(), language, open_door, start)
        command = command_tree(language)
        ended = command.main(list(argv) or ["--help"], prog_name="cegla", obj=desk, standalone_mode=False)
        sys.stdout.flush()
        return ended if isinstance(ended, int) else 0
    except Problem as problem:
        return _refused(problem.details, language)
    except CeglaError as error:
        return _refused(error.problem(language) | {"exit_code": error.exit_code}, language)
    except TyperException as error:
        return _refused(wrong_usage(error, language), language)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def language_of(environment: Mapping[str, str]) -> Language:
    """CEGLA_LANGUAGE, else the language of the terminal, else English."""
    wanted = next((environment[name] for name in ("CEGLA_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "pl" if wanted.lower().startswith("pl") else "en"


def command_tree(language: Language) -> Any:
    """The commands of the table, with their help in one language."""
    root = _group(ABOUT.say(language), language)
    kind = speaking(TyperCommand, language)
    groups = {"": root}
    for name, what in GROUPS.items():
        groups[name] = _group(what.say(language), language, DEFAULTS.get(name))
        root.add_typer(groups[name], name=name)
    for row in COMMANDS:
        extra = {"allow_extra_args": True, "ignore_unknown_options": True} if row.passes_on else {}
        groups[row.group].command(row.name, cls=kind, help=_help(row, language), short_help=row.what.say(language), context_settings=extra)(row.handler)
    tree = typer.main.get_command(root)
    _explain_words(tree, language)
    return tree


def _group(what: str, language: Language, default: str | None = None) -> typer.Typer:
    names = {"help_option_names": ["-h", "--help"]}
    kind = speaking(_with_default(default) if default else TyperGroup, language)
    return typer.Typer(help=what, cls=kind, no_args_is_help=True, rich_markup_mode=None, add_completion=False, context_settings=names)


def _with_default(name: str) -> type[TyperGroup]:
    """A group that takes an unknown first word, such as a file's name, for an argument of its command `name`."""

    class WithDefault(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if args and args[0] not in self.commands and args[0] not in ("-h", "--help"):
                args = [name, *args]
            return super().parse_args(ctx, args)

    return WithDefault


def _help(row: Command, language: Language) -> str:
    what = row.what.say(language)
    examples = "\n".join(f"  {example}" for example in row.examples)
    return f"\b\n{EXAMPLES.say(language)}\n{examples}\n\n{what[0].upper()}{what[1:]}."


def _explain_words(command: Any, language: Language) -> None:
    for parameter in command.params:
        if parameter.name in WORDS:
            parameter.help = WORDS[parameter.name].say(language)
    for inner in getattr(command, "commands", {}).values():
        _explain_words(inner, language)


def _log_to_standard_error() -> None:
    """What the application says while it runs within this process: warnings, one line each, away from the data."""
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.KeyValueRenderer(key_order=["level", "event"], drop_missing=True)],
        wrapper_class=structlog.make_filtering_bound_logger(30),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _refused(details: Mapping[str, Any], language: Language) -> int:
    """Say what happened, where, what was seen and what to do, to standard error."""
    err = Voice(stderr=True, highlight=False, soft_wrap=True)
    labels = {"where": Text("gdzie", "where"), "seen": Text("jest", "seen"), "todo": Text("co zrobić", "what to do")}
    err.print(f"{details.get('code', '')} {details.get('title', '')}".strip(), style="bold red", markup=False)
    for key, label in labels.items():
        if details.get(key):
            err.print(f"  {label.say(language)}: {details[key]}", markup=False)
    return int(details.get("exit_code", 1))
