"""Catalogs of products: fetched from an address or uploaded, how fresh each is, and what letters call them."""

from urllib.parse import urlencode

from starlette.datastructures import UploadFile
from starlette.responses import Response

from cegla.catalog import actions as catalog
from cegla.console.digits import MOST_OF_INTEGER, whole
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.errors.messages import FeedRefused
from cegla.vocabulary.text import Text

AT_ONCE = 100
MOST_UPLOADED = 20_000_001


def show(visit: Visit) -> Response:
    """Every catalog."""
    return _page(visit)


def show_one(visit: Visit) -> Response:
    """The products of a catalog, a page at a time; `?word=` looks in titles, numbers and categories."""
    word, after = visit.query.get("word", "").strip()[:100], visit.asked_number("after")
    with visit.ws.transaction() as conn:
        found = catalog.feed(conn, visit.number("id"))
        rows = catalog.products(conn, found.id, word, after, AT_ONCE + 1)
    shown = rows[:AT_ONCE]
    more = urlencode({"word": word, "after": shown[-1][0]}) if len(rows) > AT_ONCE else ""
    return visit.page("catalog.html", {"feed": found, "rows": [product for _, product in shown], "word": word, "after": after, "more": more})


def add(visit: Visit) -> Response:
    """A new catalog: with an address it is fetched at once, else the file that came with the form is read."""
    hours = whole(visit.field("hours") or "24", MOST_OF_INTEGER)
    try:
        if hours is None:
            raise FieldMissing(where="hours", seen=visit.field("hours"), field="hours")
        with visit.ws.transaction() as conn:
            number = catalog.add(conn, visit.required("name"), visit.field("address"), hours)
            if not visit.field("address"):
                catalog.put(conn, number, _upload(visit), visit.now)
            govern.note(conn, visit.actor, "catalog.add", f"catalog {number}", {}, visit.now)
        if visit.field("address"):
            catalog.renew(visit.ws, number, visit.now)
    except CeglaError as error:
        return _page(visit, error)
    return see_other("/feeds", done="saved")


def change(visit: Visit) -> Response:
    """Fetch again, read another file, or remove."""
    number, wish = visit.number("id"), visit.one_of("do", ("fetch", "upload", "remove"))
    try:
        if wish == "fetch":
            catalog.renew(visit.ws, number, visit.now)
        with visit.ws.transaction() as conn:
            if wish == "remove":
                catalog.remove(conn, number)
            elif wish == "upload":
                catalog.put(conn, number, _upload(visit), visit.now)
            govern.note(conn, visit.actor, "catalog.change", f"catalog {number}", {"do": wish}, visit.now)
    except CeglaError as error:
        return _page(visit, error)
    return see_other("/feeds", done="saved")


def _upload(visit: Visit) -> bytes:
    upload = visit.form.get("file")
    return upload.file.read(MOST_UPLOADED) if isinstance(upload, UploadFile) else b""


def _page(visit: Visit, error: CeglaError | None = None) -> Response:
    with visit.ws.transaction() as conn:
        rows = catalog.feeds(conn)
    troubles = {row.id: Text(*row.trouble.partition("|")[::2]) for row in rows if row.trouble}
    model = {"rows": rows, "troubles": troubles, "problem": error.problem(visit.language) if error else None}
    status = error.status if error else 200
    return visit.page("catalogs.html", model, status=422 if isinstance(error, FeedRefused) else status)
