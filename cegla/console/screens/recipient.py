"""Recipients' own pages: their preferences, and the confirmation of double opt-in. The signed address is the proof; only POST changes anything.

No cookie is needed and no script; the address leaves in no Referer, and the pages are in no search index.
"""

from typing import Any

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.console.digits import whole
from cegla.console.views import states
from cegla.console.visit import Visit
from cegla.govern import actions as govern
from cegla.vocabulary.errors.intake import FieldMissing

SECRET = {"referrer-policy": "no-referrer", "x-robots-tag": "noindex"}


def show_preferences(visit: Visit) -> Response:
    """What we send, why, and the switches. Raises NotFound."""
    return _page(visit, activate.preferences(visit.ws, visit.arguments["token"], visit.language), done="")


def save_preferences(visit: Visit) -> Response:
    """Do what the form says; the page shows what holds now."""
    days = visit.field("pause")
    if days and whole(days) not in (0, *activate.PAUSE_DAYS):
        raise FieldMissing(where="pause", seen=days, field="pause")
    nothing = visit.field("do") == "nothing"
    wish = activate.Wish(_names(visit, "was"), _names(visit, "on"), whole(days), nothing, visit.language)
    return _page(visit, activate.prefer(visit.ws, visit.arguments["token"], wish), done="nothing" if wish.nothing else "saved")


def show_confirm(visit: Visit) -> Response:
    """The question; scanners of mail open this address, so it changes nothing."""
    return _confirm(visit, act=False)


def confirm(visit: Visit) -> Response:
    """The person pressed the button: now it is a consent."""
    return _confirm(visit, act=True)


def _page(visit: Visit, found: Any, done: str) -> Response:
    model = {"token": visit.arguments["token"], "found": found, "done": done, "days": activate.PAUSE_DAYS}
    answer = visit.page("preferences.html", model | {"channels": states.CHANNELS, "ways": govern.METHODS})
    answer.headers.update(SECRET)
    return answer


def _confirm(visit: Visit, *, act: bool) -> Response:
    seen = {"user_agent": visit.user_agent} if visit.user_agent else {}
    found = activate.confirmation(visit.ws, visit.arguments["token"], act=act, seen=seen, language=visit.language)
    answer = visit.page("confirm.html", {"token": visit.arguments["token"], "found": found})
    answer.headers.update(SECRET)
    return answer


def _names(visit: Visit, field: str) -> frozenset[str]:
    return frozenset(one for one in visit.form.getlist(field) if isinstance(one, str))
