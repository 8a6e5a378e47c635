"""The caller's side of the template worker: asks, watches the clock, and replaces a worker that took too long or died.

A template can cost its own message and nothing else: 500 ms of its processor a message, 256 MB, then the worker is killed. By the clock it may take longer:
who is held up by a busy machine is not to blame.
Messages are asked for many at a time. When an answer does not come, those still open are asked for one by one, to find who is to blame.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from cegla.child import Child, Hung, Lost
from cegla.vocabulary.errors import Busy
from cegla.vocabulary.errors.messages import TemplateInvalid

MODULE = "cegla.activate.templating"
RENDER_SECONDS, COMPILE_SECONDS, START_SECONDS = 0.5, 3.0, 30.0
HELD_UP_SECONDS = 10.0  #: a worker that does nothing for so long is ended all the same
LARGEST_ANSWER_BYTES = 8 << 20
MOST_TEMPLATES = 50


Personal = dict[str, list[str]]  #: the personal pieces of each part, in their order


class Loaded(NamedTuple):
    """A loaded message: `fields` are the dotted names it reads (`whole`: and no others); `pieces` of each part have None where a personal one goes."""

    fields: list[str]
    whole: bool
    pieces: dict[str, list[str | None]]


class Renderer:
    """One template worker, started on first use. Not safe for two threads at once."""

    def __init__(self) -> None:
        self._child: Child | None = None
        self._loaded: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
        self._loaded_as: dict[str, Loaded] = {}
        self._present: set[str] = set()  # what the present worker was given; a new one begins empty

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def compile(self, mjml: str) -> str:
        """MJML to HTML, Liquid tags left as they are. Raises TemplateInvalid."""
        return self._ask({"do": "compile", "mjml": mjml}, COMPILE_SECONDS)["html"]

    def load(self, key: str, parts: dict[str, str], shared: dict[str, Any] | None = None) -> list[str]:
        """Parse the parts of a message under a key, and return the fields they read, as dotted names. Raises TemplateInvalid.

        `shared` are values that are the same for everybody, so that they travel to the worker once. A part named snippet:NAME may be included.
        """
        answer = self._ask({"do": "load", "key": key, "parts": parts, "shared": shared or {}}, COMPILE_SECONDS)
        if len(self._loaded) >= MOST_TEMPLATES:
            self._loaded.clear()
            self._loaded_as.clear()
        self._loaded[key] = parts, shared or {}
        self._loaded_as[key] = Loaded(answer["fields"], answer["whole"], answer["pieces"])
        self._present.add(key)
        return answer["fields"]

    def loaded(self, key: str) -> Loaded:
        """What `load` found under this key."""
        return self._loaded_as[key]

    def render(self, key: str, values: dict[str, Any]) -> dict[str, str]:
        """The parts of a loaded message, whole, for these values. Raises TemplateInvalid when it fails or asks for more than its limits."""
        made = self.render_all(key, [values])[0]
        if isinstance(made, TemplateInvalid):
            raise made
        return {name: joined(pieces, made[name]) for name, pieces in self._loaded_as[key].pieces.items()}

    def render_all(self, key: str, people: Sequence[dict[str, Any]]) -> list[Personal | TemplateInvalid]:
        """The personal pieces of a loaded message for the values of each of these people, or why one failed or asked for more than its limits."""
        made: list[Personal | TemplateInvalid] = []
        at_once = len(people)
        while len(made) < len(people):
            self._be_ready()
            if key not in self._present:
                self.load(key, *self._loaded[key])
            part = people[len(made) : len(made) + at_once]
            try:
                self._tell({"do": "render", "key": key, "values": part})
                made += [_said(self._next(RENDER_SECONDS)) for _ in part]
            except TemplateInvalid as error:
                made += [error] if at_once == 1 else []
                at_once = 1
        return made

    def knows(self, key: str) -> bool:
        """Whether `load` was called for this key."""
        return key in self._loaded

    def forget(self, key: str | None = None) -> None:
        """What was loaded under this key, or under any, is not used again."""
        for one in [key] if key is not None else list(self._loaded):
            self._loaded.pop(one, None)
            self._loaded_as.pop(one, None)
            self._present.discard(one)

    def close(self) -> None:
        """End the worker."""
        if self._child is not None:
            self._child.close()
        self._child = None
        self._present.clear()

    def _ask(self, wish: dict[str, Any], seconds: float) -> dict[str, Any]:
        self._be_ready()
        self._tell(wish)
        answer = _said(self._next(seconds))
        if isinstance(answer, TemplateInvalid):
            raise answer
        return answer

    def _be_ready(self) -> None:
        """Have a worker; one that ended while nothing was asked of it is replaced, and nothing that is asked now is to blame."""
        if self._child is not None and not self._child.is_running:
            self.close()
        if self._child is None:
            try:
                self._child = Child(MODULE, LARGEST_ANSWER_BYTES)
                self._child.receive(START_SECONDS)
            except Lost:
                self.close()
                raise Busy(where=MODULE, detail="the template worker does not start") from None

    def _tell(self, wish: dict[str, Any]) -> None:
        assert self._child is not None
        with self._to_blame(COMPILE_SECONDS):
            self._child.send(msgspec.json.encode(wish, enc_hook=str), COMPILE_SECONDS)

    def _next(self, seconds: float) -> dict[str, Any]:
        assert self._child is not None
        with self._to_blame(seconds):
            speaks = self._child.speaks(seconds, HELD_UP_SECONDS)
            return msgspec.json.decode(self._child.receive(seconds if speaks else 0.0))

    @contextmanager
    def _to_blame(self, seconds: float) -> Generator[None]:
        """A worker that is lost is lost by what it was asked."""
        try:
            yield
        except Lost as lost:
            self.close()
            if isinstance(lost, Hung):
                raise TemplateInvalid(where="time", detail=f"the template took longer than {seconds:g} s") from None
            raise TemplateInvalid(where="memory", detail="the template asked for more than a message may take") from None


def joined(pieces: Sequence[str | None], personal: Sequence[str]) -> str:
    """A part as one text."""
    own = iter(personal)
    return "".join([next(own) if piece is None else piece for piece in pieces])


def _said(answer: dict[str, Any]) -> Any:
    return TemplateInvalid(where=answer["where"], detail=answer["error"]) if "error" in answer and "where" in answer else answer
