"""Coming in and going out, and the choices that need no account: language, theme, single-key shortcuts."""

from typing import get_args

from starlette.responses import Response

from cegla.console import guard
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.text import Language

YEAR_THEMES = ("auto", "light", "dark")


def show_sign_in(visit: Visit) -> Response:
    """The sign-in form; who is in already goes to Today."""
    return see_other("/") if visit.user else visit.page("sign_in.html", {"problem": None, "name": ""})


def sign_in(visit: Visit) -> Response:
    """A new session in a new cookie, or the form again with the reason and the name kept."""
    name = visit.field("name")
    password = visit.form.get("password")
    try:
        with visit.ws.transaction() as conn:
            token = govern.sign_in(conn, name, password if isinstance(password, str) else "", visit.now)
            govern.note(conn, name, "session.begin", name, {}, visit.now)
    except CeglaError as error:
        return visit.page("sign_in.html", {"problem": error.problem(visit.language), "name": name}, status=error.status)
    visit.answer_cookies[guard.SESSION_COOKIE] = token
    visit.answer_cookies[guard.VISIT_COOKIE] = None
    return see_other("/")


def sign_out(visit: Visit) -> Response:
    """The session ends on the server too."""
    with visit.ws.transaction() as conn:
        govern.sign_out(conn, visit.session)
        govern.note(conn, visit.actor, "session.end", visit.actor, {}, visit.now)
    visit.answer_cookies[guard.SESSION_COOKIE] = None
    return see_other("/sign-in")


def choose_appearance(visit: Visit) -> Response:
    """Language, theme and shortcuts live in cookies, so the sign-in page has them too."""
    for field, known in (("language", get_args(Language)), ("theme", YEAR_THEMES), ("keys", ("on", "off"))):
        value = visit.field(field)
        if value in known:
            visit.answer_cookies[f"cegla_{field}"] = value
    back = visit.field("back")
    return see_other(back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/")
