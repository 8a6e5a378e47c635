"""What a command works with: the API behind a door, a voice in the user's language, and two ways to answer.

Data go to standard output, words about them and progress to standard error. With `--json` the answer is one JSON value.
"""

import json
import re
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text as RichText

from cegla.storage.settings import Settings
from cegla.vocabulary.errors import WrongUsage
from cegla.vocabulary.errors.installation import DatabaseAway
from cegla.vocabulary.text import Language, Text

AsJson = Annotated[bool, typer.Option("--json")]
DRY = Text("Próba na sucho: nic nie zapisano. Powtórz bez --dry-run.", "A dry run: nothing was written. Run it again without --dry-run.")
DryRun = Annotated[bool, typer.Option("--dry-run")]
Yes = Annotated[bool, typer.Option("--yes")]
_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
OpenDoor = Callable[[Settings], AbstractContextManager[httpx.Client]]


class Problem(Exception):
    """A refusal as the API says it: RFC 9457 problem details with an exit code."""

    def __init__(self, details: dict[str, Any]) -> None:
        self.details = details
        super().__init__(details.get("title", ""))


@dataclass
class Desk:
    """One run of the command."""

    settings: Settings
    language: Language
    open_door: OpenDoor
    start: Callable[[Settings], Any]
    as_json: bool = False
    out: Console = field(default_factory=lambda: _voice(stderr=False))
    err: Console = field(default_factory=lambda: _voice(stderr=True))

    def say(self, text: Text, **facts: object) -> str:
        """A sentence in the user's language."""
        return text.say(self.language, **facts)

    def tell(self, text: Text, **facts: object) -> None:
        """A sentence about the answer, to standard error; silent with --json."""
        if not self.as_json:
            self.err.print(self.say(text, **facts), markup=False)

    def answer(self, value: Any, show: Callable[["Desk", Any], None]) -> None:
        """The answer: as JSON, or as `show` prints it."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
        else:
            show(self, value)

    def write(self, text: str) -> None:
        """A text as it is, to standard output: a file that somebody may edit."""
        sys.stdout.write(text)

    @contextmanager
    def api(self) -> Generator["Api"]:
        """The API of the running installation, or of one that runs as long as the block."""
        with self.open_door(self.settings) as client:
            client.headers["accept-language"] = self.language
            yield Api(client)

    @contextmanager
    def progress(self) -> Generator[Progress]:
        """A progress bar on standard error; nothing when nobody looks at it."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.err, transient=True, disable=self.as_json or not self.err.is_terminal) as bar:
            yield bar

    def confirm(self, text: Text, yes: bool, **facts: object) -> None:
        """Go on only when the user agrees. Without a terminal the agreement has to be given as --yes."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise WrongUsage(
                where="--yes", detail=self.say(Text("to polecenie wymaga potwierdzenia --yes", "this command needs --yes when nobody can be asked"))
            )
        typer.confirm(self.say(text, **facts), abort=True, err=True)


class Api:
    """Calls of the API; a refusal is a Problem."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def patient(self) -> "Api":
        """The same for what may take long: answers are waited for."""
        self._client.timeout = httpx.Timeout(None)
        return self

    def get(self, path: str, **query: Any) -> Any:
        """Ask."""
        return self._call("GET", path, params={key: value for key, value in query.items() if value is not None})

    def post(self, path: str, body: Any = None) -> Any:
        """Do."""
        return self._call("POST", path, json=body)

    def raw(self, path: str, **query: Any) -> bytes:
        """A file."""
        return self._answer("GET", path, params={key: value for key, value in query.items() if value is not None}).content

    def person(self, text: str) -> str:
        """The label of the person meant: p12, or the holder of an identifier."""
        bare = text.strip().removeprefix("p").removeprefix("P")
        return f"p{bare}" if bare.isdigit() and text.strip()[:1] in "pP" else self.post("/people/look-up", {"value": text})["person"]

    def _call(self, method: str, path: str, **rest: Any) -> Any:
        return self._answer(method, path, **rest).json()

    def _answer(self, method: str, path: str, **rest: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path.removeprefix("/"), **rest)
        except httpx.HTTPError as error:
            raise DatabaseAway(where=path, seen=type(error).__name__) from None
        if answer.status_code >= 400:
            raise Problem(_details(answer))
        return answer


def desk_of(context: typer.Context, as_json: bool = False) -> Desk:
    """The desk of this run."""
    desk: Desk = context.obj
    desk.as_json = desk.as_json or as_json
    return desk


class Voice(Console):
    """A console that shows text as text: names of events and cells of files come from outside, and a terminal obeys what it is told in control characters."""

    def render_str(self, text: str, **how: Any) -> RichText:
        """The text with a mark in the place of each character that would command the terminal or turn the text around."""
        how["emoji"] = False
        return super().render_str(_COMMANDS.sub("\N{REPLACEMENT CHARACTER}", text), **how)


def _voice(*, stderr: bool) -> Console:
    """A console that is as wide as its terminal, and wide enough for a table where there is none."""
    voice = Voice(stderr=stderr, highlight=False, soft_wrap=True)
    return voice if voice.is_terminal else Voice(stderr=stderr, highlight=False, soft_wrap=True, width=200)


def _details(answer: httpx.Response) -> dict[str, Any]:
    try:
        details = answer.json()
    except ValueError:
        details = None
    return details if isinstance(details, dict) else {"title": f"HTTP {answer.status_code}", "status": answer.status_code, "exit_code": 1}
