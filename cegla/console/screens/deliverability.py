"""Deliverability: whether the world's mailboxes can trust our mail, and whether they do."""

from starlette.responses import Response

from cegla.activate import actions as activate
from cegla.console.menu import marked
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern

LEVELS = {
    "ok": (marked("w porządku"), "ok"), "advice": (marked("warto poprawić"), "warn"), "wrong": (marked("źle"), "bad"),
    "unknown": (marked("nie wiadomo"), ""),
}  # fmt: skip
STANDINGS = {
    "fine": (marked("dobrze"), "ok"), "near": (marked("blisko granicy"), "warn"), "over": (marked("ponad granicą"), "bad"),
    "few": (marked("za mało wysłano"), ""),
}  # fmt: skip


def show(visit: Visit) -> Response:
    """The last look, and the rates of seven days."""
    with visit.ws.transaction() as conn:
        looked = activate.standing.last_look(conn)
        found = activate.standing.reputations(conn, visit.now)
    model = {"looked": looked, "found": found, "alarms": [one for one in found if one.signals.alarm], "levels": LEVELS, "standings": STANDINGS}
    return visit.page("deliverability.html", model)


def look(visit: Visit) -> Response:
    """Look now; it takes some seconds."""
    activate.standing.look(visit.ws)
    with visit.ws.transaction() as conn:
        govern.note(conn, visit.actor, "deliverability.look", "mail", {}, visit.now)
    return see_other("/campaigns/deliverability", done="looked")
