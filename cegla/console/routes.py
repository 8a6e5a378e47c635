"""The one table of routes: method, path, handler, permission. A permission with a dot is one of `govern.PERMISSIONS`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from starlette.responses import Response

from cegla.console.screens import door, gallery
from cegla.console.visit import Visit

PUBLIC = "public"  #: anybody
ONE_CLICK = "one-click"  #: anybody, and the address itself is the proof: recipients' links
SIGNED_IN = "signed-in"  #: every user


@dataclass(frozen=True)
class Route:
    """One row: who may reach which handler, and how."""

    method: Literal["GET", "POST"]
    path: str
    handler: Callable[[Visit], Response]
    permission: str


ROUTES = (
    Route("GET", "/sign-in", door.show_sign_in, PUBLIC),
    Route("POST", "/sign-in", door.sign_in, PUBLIC),
    Route("POST", "/sign-out", door.sign_out, SIGNED_IN),
    Route("POST", "/appearance", door.choose_appearance, PUBLIC),
    Route("GET", "/ui", gallery.show, SIGNED_IN),
)
