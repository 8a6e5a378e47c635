"""The caller's side of the template worker: asks, watches the clock, and replaces a worker that took too long or died.

A template can cost its own message and nothing else: 500 ms of wall clock a message, 256 MB, then the worker is killed.
Messages are asked for many at a time. When an answer does not come, those still open are asked for one by one, to find who is to blame.
"""

import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from cegla.vocabulary.errors import Busy
from cegla.vocabulary.errors.messages import TemplateInvalid

MODULE = "cegla.activate.templating"
ROOT = Path(__file__).parents[2]
RENDER_SECONDS, COMPILE_SECONDS, START_SECONDS = 0.5, 3.0, 30.0
LARGEST_ANSWER = 8 << 20
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
        self._process: subprocess.Popen[bytes] | None = None
        self._read = b""
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
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
        self._process, self._read = None, b""
        self._present.clear()

    def _ask(self, wish: dict[str, Any], seconds: float) -> dict[str, Any]:
        self._tell(wish)
        answer = _said(self._next(seconds))
        if isinstance(answer, TemplateInvalid):
            raise answer
        return answer

    def _tell(self, wish: dict[str, Any]) -> None:
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(wish, enc_hook=str) + b"\n")
            process.stdin.flush()
        except OSError:
            self.close()
            raise _too_big() from None

    def _next(self, seconds: float) -> dict[str, Any]:
        assert self._process is not None
        try:
            return self._answer(self._process, seconds)
        except TimeoutError:
            self.close()
            raise TemplateInvalid(where="time", detail=f"the template took longer than {seconds:g} s") from None
        except (OSError, EOFError):
            self.close()
            raise _too_big() from None

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={"PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"}, cwd="/",
        )  # fmt: skip
        self._process = process
        try:
            self._answer(process, START_SECONDS)
        except (EOFError, TimeoutError):
            self.close()
            raise Busy(where=MODULE, detail="the template worker does not start") from None
        return process

    def _answer(self, process: "subprocess.Popen[bytes]", seconds: float) -> dict[str, Any]:
        """The next line of the worker. Raises TimeoutError when it is late, EOFError when the worker ended."""
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        deadline = time.monotonic() + seconds
        parts = [self._read]
        while b"\n" not in parts[-1]:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            part = os.read(descriptor, 1 << 16)
            if not part or sum(map(len, parts)) > LARGEST_ANSWER:
                raise EOFError
            parts.append(part)
        line, _, self._read = b"".join(parts).partition(b"\n")
        return msgspec.json.decode(line)


def joined(pieces: Sequence[str | None], personal: Sequence[str]) -> str:
    """A part as one text."""
    own = iter(personal)
    return "".join([next(own) if piece is None else piece for piece in pieces])


def _said(answer: dict[str, Any]) -> Any:
    return TemplateInvalid(where=answer["where"], detail=answer["error"]) if "error" in answer and "where" in answer else answer


def _too_big() -> TemplateInvalid:
    return TemplateInvalid(where="memory", detail="the template asked for more than a message may take")
