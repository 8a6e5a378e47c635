"""Templates: one environment per language, autoescape always on, undefined names are errors."""

import hashlib
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from cegla.activate import actions as activate
from cegla.console.charts import bars, graph, heat, line
from cegla.console.views.ready_made import segment_name
from cegla.vocabulary.masking import masked
from cegla.vocabulary.people import person_label

if TYPE_CHECKING:
    from cegla.console.visit import Visit

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"


class Renderer:
    """Renders our own templates; what users write never comes here."""

    @cached_property
    def environment(self) -> Environment:
        """Jinja2 with our filters; words come from the visitor's tongue, which is in each context as `t`."""
        made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        ours: dict[str, Any] = {"_": _text, "_n": _count, "asset": asset, "person_label": person_label, "segment_name": segment_name}
        charts: dict[str, Any] = {"bars": bars.bars, "columns": line.columns, "curve": line.curve, "spark": line.spark, "heat": heat.heat, "draw": graph.graph}
        made.globals.update(ours | charts)
        made.filters["mask"] = masked
        made.filters["spoken"] = activate.contents.spoken
        return made

    def render(self, template: str, visit: "Visit", model: Mapping[str, Any], block: str = "") -> str:
        """The page, or one block of it."""
        loaded = self.environment.get_template(f"pages/{template}")
        always = {"v": visit, "t": visit.tongue, "now": visit.now}
        parts = self.environment.get_template("macros/ui.html").make_module(always)
        context = loaded.new_context({**always, "ui": parts, **model})
        if block:
            return "".join(loaded.blocks[block](context))
        return "".join(loaded.root_render_func(context))


@pass_context
def _text(context: Context, message: str, **facts: object) -> Markup:
    return context["t"].text(message, **facts)


@pass_context
def _count(context: Context, message: str, n: float, **facts: object) -> Markup:
    return context["t"].count(message, n, **facts)


@cache
def asset(name: str) -> str:
    """The address of a static file, stamped with its content so that browsers may keep it for ever."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"
