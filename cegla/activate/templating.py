"""The template worker: a process of its own that turns MJML and Liquid into messages, and that may be killed at any moment.

Run as `python -m cegla.activate.templating`; `renderer.py` is its only caller. One JSON object a line comes in on standard
input, one goes out on standard output. The process may use 256 MB, writes no files, and its environment is empty; the caller
watches the clock. Liquid runs with limits; HTML is escaped; `safe`, `include` and `render` do not exist here.
"""

import functools
import json
import re
import resource
import sys
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import mjml
from liquid import Environment
from liquid.exceptions import FilterArgumentError, LiquidError
from liquid.template import BoundTemplate

MEGABYTE = 1 << 20
MEMORY = 256 * MEGABYTE
LONGEST_SEQUENCE = 10_000
REMOVED_TAGS = ("include", "render", "doc")
REMOVED_FILTERS = ("safe",)
LABEL = re.compile(r'aria-label="(?:[^"\\]|\\.)*"')  # the title again; the compiler puts backslashes before its quotes, which Liquid cannot read


class LimitedEnvironment(Environment):
    """Liquid for people who are not trusted: every limit is set, because all are off by default."""

    loop_iteration_limit = 20_000
    local_namespace_limit = 1 * MEGABYTE
    output_stream_limit = 2 * MEGABYTE
    context_depth_limit = 20
    block_nesting_limit = 20


def environment(*, escape: bool) -> LimitedEnvironment:
    """Liquid with our filters; `escape` for HTML."""
    made = LimitedEnvironment(autoescape=escape)
    for name in REMOVED_TAGS:
        made.tags.pop(name, None)
    for name in REMOVED_FILTERS:
        made.filters.pop(name, None)
    made.filters = {name: bounded(work) for name, work in made.filters.items()}
    made.filters["money"] = money
    return made


def bounded(work: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, refusing sequences so long that only a bomb would make them: `(1..10000000) | join`."""

    @functools.wraps(work)
    def limited(left: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(left, (range, list, tuple)) and len(left) > LONGEST_SEQUENCE:
            raise FilterArgumentError(f"a list of {len(left)} items is too long", token=None)
        return work(left, *args, **kwargs)

    return limited


def money(amount: object, currency: str = "zł") -> str:
    """1234.5 as "1 234,50 zł", the way prices are written in Polish; anything else stays as it is."""
    try:
        value = Decimal(str(amount)).quantize(Decimal("0.01"))
    except InvalidOperation:
        return "" if amount is None else str(amount)
    return f"{value:,.2f}".replace(",", "\u00a0").replace(".", ",") + f"\u00a0{currency}"


class Templates:
    """The parsed templates of the campaigns in work."""

    def __init__(self) -> None:
        self.plain, self.escaping = environment(escape=False), environment(escape=True)
        self.parsed: dict[str, dict[str, BoundTemplate]] = {}

    def answer(self, wish: dict[str, Any]) -> dict[str, Any]:
        """Do what the caller asks: compile MJML, load the parts of a message, or render them for one person."""
        if wish["do"] == "compile":
            return compile_mjml(wish["mjml"])
        if wish["do"] == "load":
            return self.load(wish["key"], wish["parts"])
        parts = self.parsed[wish["key"]]
        return {name: template.render(**wish["values"]) for name, template in parts.items()}

    def load(self, key: str, parts: dict[str, str]) -> dict[str, Any]:
        """Parse the parts and say which fields they read."""
        parsed: dict[str, BoundTemplate] = {}
        for name, source in parts.items():
            try:
                parsed[name] = (self.escaping if name == "html" else self.plain).from_string(source)
            except LiquidError as error:
                return failure(error, name)
        self.parsed[key] = parsed
        variables = [variable for template in parsed.values() for found in template.analyze().globals.values() for variable in found]
        return {"fields": sorted({".".join(str(segment) for segment in variable.segments) for variable in variables})}


def compile_mjml(source: str) -> dict[str, Any]:
    """Responsive HTML; no fonts are fetched from anywhere."""
    if re.search(r"<mj-include\b", source):
        return {"error": "mj-include is not available", "where": "mjml"}
    try:
        html: str = mjml.mjml2html(source, disable_comments=True, fonts={})
    except (ValueError, OSError) as error:
        return {"error": str(error), "where": "mjml"}
    html = LABEL.sub(lambda found: found.group(0).replace('\\"', "'"), html)
    unknown = re.search(r"<(mj-[\w-]+)", html)
    return {"error": f"unknown element <{unknown.group(1)}>", "where": "mjml"} if unknown else {"html": html}


def failure(error: Exception, part: str) -> dict[str, Any]:
    """What went wrong, and in which line of which part."""
    if not isinstance(error, LiquidError):
        return {"error": f"{type(error).__name__}: {error}"[:300], "where": part}
    context = error.context()
    return {"error": str(error.message or type(error).__name__)[:300], "where": f"{part}:{context[0]}" if context else part}


def main() -> None:
    """Answer one line after the other until standard input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    templates = Templates()
    out = sys.stdout.buffer
    out.write(b"{}\n")  # ready
    out.flush()
    for line in sys.stdin.buffer:
        try:
            answer = templates.answer(json.loads(line))
        except (LiquidError, RecursionError, MemoryError, ValueError, TypeError, ArithmeticError, KeyError, AttributeError) as error:
            answer = failure(error, "")
        out.write(json.dumps(answer).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    main()
