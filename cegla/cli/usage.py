"""Wrong calls and the frame of the help in the user's language: the parser of the command line speaks English alone."""

import re
from typing import Any

from cegla.vocabulary.errors import WrongUsage
from cegla.vocabulary.text import Language, Text

#: What the parser says, in the English of its own; what it says otherwise is told as it is.
PARSER_SAYS: tuple[tuple[str, Text], ...] = (
    (r"Missing parameter: .*", Text("brakuje tego słowa", "this word is missing")),
    (r"Missing command\.", Text("brakuje polecenia", "the command is missing")),
    (r"No such command '(?P<word>.*)'\.(?P<more>.*)", Text("nie ma polecenia {word}", "there is no command {word}")),
    (r"No such option: (?P<word>\S+)(?P<more>.*)", Text("nie ma opcji {word}", "there is no option {word}")),
    (r"Got unexpected extra arguments?(?:\(s\))? \((?P<word>.*)\)", Text("za dużo słów: {word}", "too many words: {word}")),
    (r"Option '(?P<word>.*)' requires (?:an argument|\d+ arguments)\.?", Text("opcja {word} potrzebuje wartości", "the option {word} needs a value")),
    (r"Option '(?P<word>.*)' does not take a value\.?", Text("opcja {word} nie ma wartości", "the option {word} takes no value")),
    (r"Input should be a valid integer.*", Text("to nie jest liczba całkowita", "it is no whole number")),
    (r"Input should be a valid number.*", Text("to nie jest liczba", "it is no number")),
    (r"Input should be a valid boolean.*", Text("to ani tak, ani nie", "it is neither yes nor no")),
    (r"(?:Value error, )?'(?P<word>.*)' is not one of (?P<more>.*)\.", Text("{word} to nie jest żadne z: {more}", "{word} is none of {more}")),
)
#: The frame of the help, as it is printed.
FRAME: tuple[tuple[str, Text], ...] = (
    (r"^Usage: ", Text("Użycie: ", "Usage: ")),
    (r"^Options:$", Text("Opcje:", "Options:")),
    (r"^Arguments:$", Text("Słowa:", "Arguments:")),
    (r"^Commands:$", Text("Polecenia:", "Commands:")),
    (r"Show this message and exit\.", Text("pokaż tę pomoc", "show this help")),
    (r"\[required\]", Text("[potrzebne]", "[required]")),
    (r"\[default: ", Text("[domyślnie: ", "[default: ")),
    (r"\bCOMMAND \[ARGS\]\.\.\.", Text("POLECENIE [SŁOWA]...", "COMMAND [ARGS]...")),
    (r"(?<= )\[OPTIONS\]", Text("[OPCJE]", "[OPTIONS]")),
)


def wrong_usage(error: Any, language: Language) -> dict[str, Any]:
    """What the parser refused, as problem details: what is wrong, with which word, and where the help is."""
    said = str(getattr(error, "message", "") or error)
    context, param = getattr(error, "ctx", None), getattr(error, "param", None)
    refused = WrongUsage(where=_label(param) if param is not None else "", detail=_detail(said))
    details = refused.problem(language) | {"exit_code": refused.exit_code}
    return details if context is None else details | {"todo": f"{context.command_path} --help"}


def framed(text: str, language: Language) -> str:
    """A help text whose frame is in the language, too."""
    for pattern, words in FRAME:
        text = re.sub(pattern, words.say(language), text, flags=re.MULTILINE)
    return text


def speaking(kind: type, language: Language) -> type:
    """The same kind of command, whose help is wholly in the language."""

    class Speaking(kind):  # pyright: ignore[reportUntypedBaseClass]
        def get_help(self, ctx: Any) -> str:
            return framed(super().get_help(ctx), language)

    return Speaking


def _detail(said: str) -> Text:
    for pattern, words in PARSER_SAYS:
        if found := re.fullmatch(pattern, said, re.DOTALL):
            facts = {"word": "", **found.groupdict()}
            return Text(words.pl.format(**facts), words.en.format(**facts))
    return Text(said, said)


def _label(param: Any) -> str:
    """An option by its name, a word by what the help calls it."""
    if getattr(param, "param_type_name", "") == "option":
        return str(param.opts[0])
    return str(param.metavar or param.name.upper())
