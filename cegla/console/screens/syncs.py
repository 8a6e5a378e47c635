"""Receivers of segments: who else is told who enters and leaves, a form for a new one, and what was not taken."""

from typing import Any

from starlette.responses import Response

from cegla.console.digits import whole
from cegla.console.menu import marked
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.segment import actions as segment
from cegla.sync import actions as sync
from cegla.vocabulary.errors import CeglaError

CHANNELS = (("none", marked("sam numer osoby")), ("email", marked("także skrót e-maila (SHA-256)")), ("sms", marked("także skrót telefonu (SHA-256)")))
STATES = {"waiting": marked("czeka"), "delivered": marked("dostarczony"), "refused": marked("odrzucony")}
REASONS = {
    "host": marked("tego hosta nie ma w ustawieniu sync.hosts"), "address": marked("adres hosta nie jest publiczny"),
    "scheme": marked("adres nie zaczyna się od https"), "unreachable": marked("nie odpowiada"), "slow": marked("odpowiada za wolno"),
    "secret": marked("klucz, którym zamknięto sekret, przepadł; dodaj odbiorcę od nowa"),
}  # fmt: skip
NEWEST = 50


def show(visit: Visit) -> Response:
    """All receivers, and the form for a new one."""
    return _page(visit)


def add(visit: Visit) -> Response:
    """A new receiver; its secret is shown on this page and never again."""
    try:
        numbers = [number for one in visit.form.getlist("segments") if (number := whole(one)) is not None]
        told = (numbers, visit.field("purpose"), visit.field("channel"))
        with visit.ws.transaction() as conn:
            made, secret = sync.add(visit.ws, conn, visit.required("name"), visit.required("url"), told, visit.now)
            detail = {"segments": ", ".join(map(str, made.segments)), "purpose": made.purpose, "channel": made.channel}
            govern.note(conn, visit.actor, "sync.add", f"receiver {made.id}", detail, visit.now)
    except CeglaError as error:
        return _page(visit, problem=error.problem(visit.language), status=error.status)
    return _page(visit, secret=secret)


def show_one(visit: Visit) -> Response:
    """One receiver with its newest messages."""
    number = visit.number("id")
    with visit.ws.transaction() as conn:
        found, rows = sync.receiver(conn, number), sync.messages(conn, number, NEWEST)
        names = {row.id: row.name for row in segment.segments(conn)}
    return visit.page("sync.html", {"receiver": found, "rows": rows, "names": names, "states": STATES, "reasons": REASONS})


def change(visit: Visit) -> Response:
    """Go on, stop, take away, or send a refused message once more."""
    number, act = visit.number("id"), visit.field("do")
    with visit.ws.transaction() as conn:
        if act == "remove":
            sync.remove(conn, number)
        elif act.startswith("again-") and (message := whole(act.removeprefix("again-"))) is not None:
            sync.again(conn, number, message)
        else:
            sync.switch(conn, number, enabled=visit.one_of("do", ("on", "off", "remove")) == "on", now=visit.now)
        govern.note(conn, visit.actor, f"sync.{act.partition('-')[0]}", f"receiver {number}", {}, visit.now)
    return see_other("/syncs" if act == "remove" else f"/syncs/{number}", done="saved")


def _page(visit: Visit, problem: dict[str, Any] | None = None, secret: str = "", status: int = 200) -> Response:
    with visit.ws.transaction() as conn:
        model = {
            "receivers": sync.receivers(conn), "segments": segment.segments(conn), "purposes": govern.register.purposes(conn).values(),
            "channels": CHANNELS, "hosts": visit.ws.settings.sync.hosts, "problem": problem, "secret": secret, "form": visit.form, "reasons": REASONS,
        }  # fmt: skip
    return visit.page("syncs.html", model, status=status)
