"""The template worker: a process of its own that turns MJML and Liquid into messages, and that may be killed at any moment.

Run as `python -m cegla.activate.templating`; `renderer.py` is its only caller. JSON objects come in and go out (see `cegla/child.py`). The
process may use 256 MB, writes no files, and its environment is empty; the caller watches the clock. Liquid runs with limits; HTML is
escaped; `safe` does not exist here, and `include` and `render` know the snippets that came with the template and nothing else. What Ruby
Liquid makes of a template is made of it here, in 1,048 of the 1,054 cases of golden-liquid (tests/activate/test_golden.py names the six).

What a template makes of the values that are the same for everybody is made once, when it is loaded: a part becomes fixed pieces and
personal ones, and for each person only the personal ones are rendered and travel back.
"""

import functools
import re
import resource
import time
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any, TextIO

import mjml
import msgspec
from liquid import DictLoader, Environment, RenderContext
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.output import OutputNode
from liquid.exceptions import FilterArgumentError, LiquidError, OutputStreamLimitError
from liquid.output import LimitedStringIO
from liquid.template import BoundTemplate

from cegla.activate.rules.filters import OWN
from cegla.activate.rules.liquid import held, put_back
from cegla.child import Caller

MEGABYTE = 1 << 20
MEMORY = 256 * MEGABYTE
LONGEST_SEQUENCE = 10_000
OUTPUT_BYTES = 2 * MEGABYTE
SNIPPET = "snippet:"  #: before the name of a part that others may include
REMOVED_FILTERS = ("safe",)
STATELESS = frozenset("if unless for case comment raw echo assign capture tablerow doc #".split())  #: tags that remember nothing but what they assign
BY_THE_CLOCK = frozenset({"date"})  #: filters whose answer may change between loading and rendering
UNHURRIED_SECONDS = 0.05  #: answers wait for those behind them at most so long


class Context(RenderContext):
    """A context whose buffers keep line ends as they are; the library's turn CR LF into LF."""

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        """A new buffer with what is left of the limit."""
        carried = buf.size if isinstance(buf, LimitedStringIO) else 0
        return LimitedStringIO(OUTPUT_BYTES - carried, newline="")


class Template(BoundTemplate):
    """A template that renders in such a context."""

    context_class = Context

    def _get_buffer(self) -> StringIO:
        return LimitedStringIO(OUTPUT_BYTES, newline="")


class LimitedEnvironment(Environment):
    """Liquid for people who are not trusted: every limit is set, because all are off by default."""

    loop_iteration_limit = 20_000
    local_namespace_limit = 1 * MEGABYTE
    output_stream_limit = OUTPUT_BYTES
    context_depth_limit = 20
    block_nesting_limit = 20
    template_class = Template


def environment(*, escape: bool, snippets: dict[str, str] | None = None) -> LimitedEnvironment:
    """Liquid with our filters; `escape` for HTML, `snippets` for what may be included, by name."""
    made = LimitedEnvironment(autoescape=escape, loader=DictLoader(snippets or {}))
    for name in REMOVED_FILTERS:
        made.filters.pop(name, None)
    made.filters = {name: bounded(work) for name, work in made.filters.items()}
    made.filters |= OWN
    return made


def bounded(work: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, refusing sequences so long that only a bomb would make them: `(1..10000000) | join`."""

    @functools.wraps(work)
    def limited(left: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(left, (range, list, tuple)) and len(left) > LONGEST_SEQUENCE:
            raise FilterArgumentError(f"a list of {len(left)} items is too long", token=None)
        return work(left, *args, **kwargs)

    return limited


class Part:
    """A parsed part: `pieces` holds the text of each fixed piece and None in the place of each personal one, which are the `runs`."""

    def __init__(self, template: BoundTemplate, shared: dict[str, Any]) -> None:
        self.template = template
        self.pieces: list[str | None] = []
        self.runs: list[Template | list[OutputNode]] = []  #: most are nothing but outputs, which need no scope of their own
        foldable = _foldable(template, shared)
        run: list[Node] = []
        for node in template.nodes:
            text = self._once(node, shared) if isinstance(node, ContentNode) or foldable(node) else None
            if text is None:
                run.append(node)
                continue
            self._end(run)
            if self.pieces and self.pieces[-1] is not None:
                self.pieces[-1] += text
            else:
                self.pieces.append(text)
        self._end(run)
        self.fixed_bytes = sum(len(piece.encode("utf-8", "replace")) for piece in self.pieces if piece is not None)

    def personal(self, values: dict[str, Any]) -> list[str]:
        """The personal pieces for one person; what one assigns, the next may read. Raises LiquidError."""
        template = self.template
        context = template.context_class(template, globals=template.make_globals(values))
        made: list[str] = []
        left = OUTPUT_BYTES - self.fixed_bytes
        if left < 0:
            raise OutputStreamLimitError("output stream limit reached", token=None)
        for run in self.runs:
            buffer = LimitedStringIO(left, newline="")
            if isinstance(run, Template):
                run.render_with_context(context, buffer)
            else:
                self._put_out(run, context, buffer)
            left -= buffer.size
            made.append(buffer.getvalue())
        return made

    def _end(self, run: list[Node]) -> None:
        if run:
            outputs = [node for node in run if isinstance(node, OutputNode)]
            self.runs.append(outputs if len(outputs) == len(run) else Template(self.template.env, list(run), self.template.name))
            self.pieces.append(None)
            run.clear()

    def _put_out(self, outputs: list[OutputNode], context: RenderContext, buffer: LimitedStringIO) -> None:
        for node in outputs:
            try:
                node.render(context, buffer)
            except LiquidError as error:
                self.template.env.error(error, token=node.token)

    def _once(self, node: Node, shared: dict[str, Any]) -> str | None:
        try:
            return Template(self.template.env, [node]).render(**shared)
        except (LiquidError, RecursionError, MemoryError, ValueError, TypeError, ArithmeticError, KeyError, AttributeError):
            return None  # said for each message, as for one that fails with a person's own values


def _foldable(template: BoundTemplate, shared: dict[str, Any]) -> Callable[[Node], bool]:
    """Which nodes come out the same for everybody: they read shared values alone, and nothing in the template could change those or keep count."""
    whole = template.analyze(include_partials=False)
    if not whole.tags.keys() <= STATELESS or whole.locals.keys() & shared.keys() or "continue" in str(template):
        return lambda node: False

    def same_for_all(node: Node) -> bool:
        alone = Template(template.env, [node]).analyze(include_partials=False)
        return alone.globals.keys() <= shared.keys() and not alone.locals and alone.filters.keys().isdisjoint(BY_THE_CLOCK)

    return same_for_all


class Templates:
    """The parsed templates of the campaigns in work."""

    def __init__(self) -> None:
        self.plain, self.escaping = environment(escape=False), environment(escape=True)
        self.parsed: dict[str, dict[str, Part]] = {}
        self.shared: dict[str, dict[str, Any]] = {}  #: values that are the same for everybody, by key

    def answers(self, wish: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Do what the caller asks: compile MJML, load the parts of a message, or render their personal pieces for each person, one answer each."""
        match wish["do"]:
            case "compile":
                yield attempt(compile_mjml, wish["mjml"])
            case "load":
                self.shared[wish["key"]] = wish["shared"]
                yield attempt(self.load, wish["key"], wish["parts"])
            case _:
                yield from (attempt(self.render, wish["key"], values) for values in wish["values"])

    def render(self, key: str, own: dict[str, Any]) -> dict[str, Any]:
        """The personal pieces of each part."""
        values = self.shared[key] | own
        return {name: part.personal(values) for name, part in self.parsed[key].items()}

    def load(self, key: str, parts: dict[str, str]) -> dict[str, Any]:
        """Parse the parts and say which fields they read."""
        parsed: dict[str, Part] = {}
        shared = self.shared[key]
        snippets = {name.removeprefix(SNIPPET): source for name, source in parts.items() if name.startswith(SNIPPET)}
        escaping, plain = (environment(escape=escape, snippets=snippets) for escape in (True, False)) if snippets else (self.escaping, self.plain)
        variables: list[Any] = []
        for name, source in parts.items():
            if name.startswith(SNIPPET):
                continue
            try:
                template = (escaping if name == "html" else plain).from_string(source)
                variables += [variable for found in template.analyze(include_partials=not snippets).globals.values() for variable in found]
                parsed[name] = Part(template, shared)
            except LiquidError as error:
                return failure(error, name)
        self.parsed[key] = parsed
        fields = {".".join(str(segment) for segment in variable.segments) for variable in variables}
        return {"fields": sorted(fields), "whole": not snippets, "pieces": {name: part.pieces for name, part in parsed.items()}}


def compile_mjml(source: str) -> dict[str, Any]:
    """Responsive HTML; no fonts are fetched from anywhere. Liquid tags go through as they are, whatever they hold."""
    if re.search(r"<mj-include\b", source):
        return {"error": "mj-include is not available", "where": "mjml"}
    markup, tags = held(source)
    try:
        html: str = mjml.mjml2html(markup, disable_comments=True, fonts={})
    except (ValueError, OSError) as error:
        return {"error": put_back(str(error), tags), "where": "mjml"}
    unknown = re.search(r"<(mj-[\w-]+)", html)
    return {"error": f"unknown element <{unknown.group(1)}>", "where": "mjml"} if unknown else {"html": put_back(html, tags)}


def failure(error: Exception, part: str) -> dict[str, Any]:
    """What went wrong, and in which line of which part."""
    if not isinstance(error, LiquidError):
        return {"error": f"{type(error).__name__}: {error}"[:300], "where": part}
    context = error.context()
    return {"error": str(error.message or type(error).__name__)[:300], "where": f"{part}:{context[0]}" if context else part}


def attempt(work: Callable[..., dict[str, Any]], *given: Any) -> dict[str, Any]:
    """What the work answers, or what went wrong."""
    try:
        return work(*given)
    except (LiquidError, RecursionError, MemoryError, ValueError, TypeError, ArithmeticError, KeyError, AttributeError) as error:
        return failure(error, "")


def main() -> None:
    """Answer what is asked until nobody asks any more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    caller, templates = Caller(), Templates()
    caller.answer(b"ready")
    while (asked := caller.asks()) is not None:
        told = time.monotonic()
        for answer in templates.answers(msgspec.json.decode(asked)):
            is_late = time.monotonic() - told > UNHURRIED_SECONDS
            caller.answer(msgspec.json.encode(answer), at_once=is_late)
            told = time.monotonic() if is_late else told
        caller.tell()


if __name__ == "__main__":
    main()
