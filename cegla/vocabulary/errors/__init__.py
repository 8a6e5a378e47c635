"""Every error a user can meet: what happened, where, the value seen, what to do; one object in API, CLI and console.

    CeglaError                       (answers RFC 9457 problem details, an exit code and an HTTP status)
    ├── Terminal                     trying again changes nothing
    │   ├── InvalidInput   3 / 422   data, a mapping, a rule or a template is wrong
    │   ├── WrongUsage     2 / 400   the call itself is wrong
    │   ├── NotFound       4 / 404
    │   ├── Refused        5 / 403   consent, policy or permission says no
    │   └── Broken         1 / 500   the installation needs a person
    └── Transient                    trying again may work
        └── Busy           6 / 503   something else holds it, or it is away

Here stand the families. The rows stand in one module for each part of the product: `installation`, `access`, `intake`, `people`, `messages`.
Raise the most exact row; add a row rather than a free text. Exit codes are those of `docs/reference/cli.md`.
"""

from typing import Any, ClassVar

from cegla.vocabulary.text import Language, Text


class CeglaError(Exception):
    """Something a user should read. `where` is a file:line, a JSON pointer or a setting; `seen` the value found there."""

    code: ClassVar[str] = "CEGLA-E0000"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    what: ClassVar[Text] = Text("Coś się nie udało.", "Something went wrong.")
    todo: ClassVar[Text] = Text("Zajrzyj do dziennika.", "Look into the log.")

    def __init__(self, *, where: str = "", seen: object = "", **facts: object) -> None:
        self.where = _showable(where, 500)
        self.seen = _showable(seen, 200)
        self.facts = {key: value if isinstance(value, Text) else _showable(value, 500) for key, value in facts.items()}
        super().__init__(self.say("en"))

    def say(self, language: Language) -> str:
        """What happened, in one sentence."""
        return self.what.say(language, **self._facts_in(language))

    def advice(self, language: Language) -> str:
        """What to do about it."""
        return self.todo.say(language, **self._facts_in(language))

    def _facts_in(self, language: Language) -> dict[str, str]:
        return {key: fact.say(language) if isinstance(fact, Text) else fact for key, fact in self.facts.items()}

    def problem(self, language: Language = "en") -> dict[str, Any]:
        """RFC 9457 problem details with our own members `code`, `where`, `seen` and `todo`."""
        return {
            "type": f"/docs/errors#{self.code}",
            "title": self.say(language),
            "status": self.status,
            "code": self.code,
            "where": self.where,
            "seen": self.seen,
            "todo": self.advice(language),
        }


def _showable(value: object, longest: int) -> str:
    """A value as text that every face can write out; half a surrogate pair, which no encoding holds, becomes a question mark."""
    return str(value)[:longest].encode("utf-8", "replace").decode()


class Terminal(CeglaError):
    """Trying again changes nothing."""


class Transient(CeglaError):
    """Trying again may work."""


class InvalidInput(Terminal):
    """Data, a mapping, a rule or a template is wrong."""

    code, status, exit_code = "CEGLA-E0300", 422, 3
    what = Text("Dane są nieprawidłowe: {detail}", "The input is not valid: {detail}")
    todo = Text("Popraw wskazaną wartość i spróbuj ponownie.", "Correct the value shown and try again.")


class WrongUsage(Terminal):
    """The call itself is wrong."""

    code, status, exit_code = "CEGLA-E0200", 400, 2
    what = Text("Nieprawidłowe wywołanie: {detail}", "Wrong usage: {detail}")
    todo = Text("Sprawdź pomoc polecenia.", "Check the command's help.")


class NotFound(Terminal):
    """The thing named does not exist."""

    code, status, exit_code = "CEGLA-E0400", 404, 4
    what = Text("Nie znaleziono: {thing}", "Not found: {thing}")
    todo = Text("Sprawdź, czy nazwa lub numer są poprawne.", "Check the name or number.")


class Refused(Terminal):
    """Consent, policy or permission says no."""

    code, status, exit_code = "CEGLA-E0500", 403, 5
    what = Text("Odmowa: {detail}", "Refused: {detail}")
    todo = Text("Potrzebna jest zgoda lub uprawnienie.", "A consent or a permission is needed.")


class Broken(Terminal):
    """The installation needs a person."""

    code, status, exit_code = "CEGLA-E0100", 500, 1
    what = Text("Instalacja wymaga uwagi: {detail}", "The installation needs attention: {detail}")


class Busy(Transient):
    """Something else holds it, or it is away."""

    code, status, exit_code = "CEGLA-E0600", 503, 6
    what = Text("Zajęte lub chwilowo niedostępne: {detail}", "Busy or away for now: {detail}")
    todo = Text("Spróbuj ponownie za chwilę.", "Try again in a moment.")
