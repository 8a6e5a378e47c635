"""The register of purposes: what data are used for, on which basis, by which words, under whose law; its versions, and what to change."""

from dataclasses import replace
from typing import Any

from starlette.responses import Response

from cegla.console.digits import MOST_OF_INTEGER, whole
from cegla.console.views import states
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.vocabulary.consent import Basis, Channel
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.errors.access import NotPermitted
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.text import Text

LANGUAGES = ("pl", "en")


def show(visit: Visit) -> Response:
    """The register in force, or one version of it."""
    return visit.page("purposes.html", _model(visit))


def show_new(visit: Visit) -> Response:
    """An empty form."""
    return _form(visit, "")


def show_edit(visit: Visit) -> Response:
    """The form of one purpose. Raises NotFound."""
    with visit.ws.transaction() as conn:
        known = govern.register.purpose(conn, visit.arguments["key"])
    return _form(visit, known.key)


def save(visit: Visit) -> Response:
    """Put a purpose in force as a new version."""
    key = visit.field("key")
    try:
        with visit.ws.transaction() as conn:
            govern.register.put_purpose(conn, _purpose(visit, govern.register.purposes(conn).get(key)), visit.actor, visit.field("why"), visit.now)
    except CeglaError as error:
        return _form(visit, key, error)
    return see_other("/purposes", done="saved")


def add_notice(visit: Visit) -> Response:
    """The words people are asked by from now on."""
    try:
        channels = tuple(channel for channel in Channel if f"{channel}" in visit.form.getlist("channels"))
        notice = govern.Notice(
            purpose=visit.required("purpose"), version=visit.required("version"), language=visit.field("language", "pl"), text=visit.required("text"),
            channels=channels,
        )  # fmt: skip
        with visit.ws.transaction() as conn:
            govern.register.add_notice(conn, notice, visit.actor, visit.now)
    except CeglaError as error:
        return visit.page("purposes.html", _model(visit, problem=error.problem(visit.language)), status=error.status)
    return see_other("/purposes", done="saved")


def apply(visit: Visit) -> Response:
    """The whole register as a text, as the command line takes it."""
    text = visit.field("text")
    if not visit.may("settings.edit"):
        raise NotPermitted(where=visit.path, permission=visit.tongue.say(govern.PERMISSIONS["settings.edit"]))
    try:
        with visit.ws.transaction() as conn:
            govern.register.apply(conn, govern.register.read(text), visit.actor, visit.field("why"), visit.now)
    except CeglaError as error:
        return visit.page("purposes.html", _model(visit, text=text, problem=error.problem(visit.language)), status=error.status)
    return see_other("/purposes", done="saved")


def _model(visit: Visit, *, text: str | None = None, problem: dict[str, Any] | None = None) -> dict[str, Any]:
    wanted = visit.query.get("version", "")
    with visit.ws.transaction() as conn:
        versions = govern.register.versions(conn)
        held = govern.register.version(conn, number) if (number := whole(wanted, MOST_OF_INTEGER)) is not None else govern.register.current(conn)
        sound = govern.ledger.check(conn) if visit.may("audit.read") else None
    newest = versions[0].number if versions else 0
    return {
        "register": held, "versions": versions, "old": held.number != newest, "text": text if text is not None else govern.register.text_of(held),
        "sound": sound, "problem": problem, "bases": states.BASES, "channels": states.CHANNELS, "all_channels": list(Channel), "form": visit.form,
    }  # fmt: skip


def _form(visit: Visit, key: str, error: CeglaError | None = None) -> Response:
    purposes = visit.purposes
    if error is not None:
        try:
            known = _purpose(visit, purposes.get(key))
        except CeglaError:
            known = purposes.get(key)
    else:
        known = purposes.get(key)
    problem = error.problem(visit.language) if error else None
    words = {"bases": states.BASES, "channels": states.CHANNELS, "all_channels": list(Channel)}
    model = {"key": key if key in purposes else "", "one": known, "problem": problem, **words}
    return visit.page("purpose_form.html", model, status=error.status if error else 200)


def _purpose(visit: Visit, before: govern.Purpose | None) -> govern.Purpose:
    def both(name: str) -> Text:
        return Text(visit.field(f"{name}_pl"), visit.field(f"{name}_en"))

    def number(name: str) -> int:
        if (found := whole(visit.field(name), 6)) is None:
            raise FieldMissing(where=name, seen=visit.field(name), field=name)
        return found

    basis = visit.field("basis")
    if basis not in list(Basis):
        raise FieldMissing(where="basis", seen=basis, field="basis")
    known = before or govern.Purpose(key=visit.required("key"), label=both("label"), basis=Basis(basis), channels=(), retention_days=1)
    chosen = visit.form.getlist("channels")
    return replace(
        known, label=both("label"), about=both("about"), frequency=both("frequency"), basis=Basis(basis), assessment=visit.field("assessment"),
        channels=tuple(channel for channel in Channel if channel.value in chosen), retention_days=number("retention_days"), valid_days=number("valid_days"),
        confirm_hours=number("confirm_hours"), recipients=_listed(visit.field("recipients")), categories=_listed(visit.field("categories")),
        commercial=visit.field("commercial") == "yes", double_opt_in=visit.field("double_opt_in") == "yes", listed=visit.field("listed") == "yes",
    )  # fmt: skip


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for one in text.split(",") if (part := one.strip()))
