"""Recipients' pages: a click and an unsubscribe. Nobody is signed in by them, and only POST changes anything."""

from typing import Any

from starlette.responses import RedirectResponse, Response

from cegla.activate import actions as activate
from cegla.console.visit import Visit


def follow_link(visit: Visit) -> Response:
    """On to where the link of a message leads; a link we did not make is a page, never a redirect. Raises NotFound."""
    target = activate.open_link(visit.ws, visit.arguments["token"], count=visit.method != "HEAD", agent=visit.user_agent, network=visit.network)
    return RedirectResponse(target, status_code=302, headers={"referrer-policy": "no-referrer"})


def show_unsubscribe(visit: Visit) -> Response:
    """The question; mail scanners open this address, so it changes nothing."""
    return visit.page("unsubscribe.html", _model(visit, act=False))


def unsubscribe(visit: Visit) -> Response:
    """The act: from the page's button, or One-Click from the mail program (RFC 8058)."""
    return visit.page("unsubscribe.html", _model(visit, act=True))


def _model(visit: Visit, *, act: bool) -> dict[str, Any]:
    token = visit.arguments["token"]
    return {"token": token, "asked": activate.unsubscribe(visit.ws, token, act=act)}
