"""Settings: how the console looks, users and passwords, the mail server, the purpose register, the audit log, what we are made of."""

import tomllib
from importlib.metadata import version
from typing import Any

from starlette.responses import Response

from cegla.console.render import STATIC
from cegla.console.views import states
from cegla.console.visit import Visit, see_other
from cegla.govern import actions as govern
from cegla.reference import sets
from cegla.vocabulary.errors import CeglaError
from cegla.vocabulary.errors.access import WrongPassword

AUDIT_ROWS = 30
PARTS = (
    ("PostgreSQL", "PostgreSQL"), ("DuckDB", "MIT"), ("Ibis", "Apache-2.0"), ("Apache Arrow", "Apache-2.0"), ("Starlette, uvicorn", "BSD-3-Clause"),
    ("FastAPI, pydantic", "MIT"), ("Jinja2, Babel", "BSD-3-Clause"), ("mjml-python", "MIT"), ("python-liquid", "MIT"), ("ua-parser", "Apache-2.0"),
)  # fmt: skip


def show(visit: Visit) -> Response:
    """The whole page."""
    return visit.page("settings.html", _model(visit, None, ""))


def show_data(visit: Visit) -> Response:
    """What is known of the world, with versions, licences and the thanks they ask for."""
    fetched, services = visit.ws.settings.data_dir / "reference", (visit.ws.settings.weather.provider,)
    return visit.page("data.html", {"sets": list(sets.statuses(fetched, services)), "attributions": sets.attributions(fetched, services)})


def change_password(visit: Visit) -> Response:
    """A new password for the one who is in, who must know the old one; all their other sessions end."""
    user = visit.user
    try:
        if user is None:
            raise WrongPassword(where="name")
        with visit.ws.transaction() as conn:
            govern.sign_out(conn, govern.sign_in(conn, user.name, _typed(visit, "old"), visit.now))
            govern.set_password(conn, user.name, _typed(visit, "new"), visit.now, role=user.role.key, keep_token=visit.session)
            govern.note(conn, visit.actor, "password.change", user.name, {}, visit.now)
    except CeglaError as error:
        return visit.page("settings.html", _model(visit, error.problem(visit.language), "password"), status=error.status)
    return see_other("/settings", done="password")


def add_user(visit: Visit) -> Response:
    """A new user with a role and a first password, or a new password and role for an old one."""
    try:
        name, role = visit.required("name"), visit.field("role")
        with visit.ws.transaction() as conn:
            govern.set_password(conn, name, _typed(visit, "password"), visit.now, role=role if role in govern.ROLES else "marketer")
            govern.note(conn, visit.actor, "user.save", name, {"role": role}, visit.now)
    except CeglaError as error:
        return visit.page("settings.html", _model(visit, error.problem(visit.language), "user"), status=error.status)
    return see_other("/settings", done="saved")


def _typed(visit: Visit, name: str) -> str:
    """A password as typed, blanks included."""
    value = visit.form.get(name, "")
    return value if isinstance(value, str) else ""


def _model(visit: Visit, problem: dict[str, Any] | None, where: str) -> dict[str, Any]:
    audit: list[Any] = []
    broken = None
    if visit.may("audit.read"):
        with visit.ws.transaction() as conn:
            audit, broken = govern.audit(conn, AUDIT_ROWS), govern.first_broken_audit(conn)
    vendored = tomllib.loads((STATIC / "vendor" / "VENDOR.toml").read_text())["file"]
    return {
        "problem": problem, "where": where, "form": visit.form, "settings": visit.ws.settings, "purposes": list(visit.purposes.values()),
        "roles": list(govern.ROLES.values()), "permissions": govern.PERMISSIONS, "audit": audit, "broken": broken, "version": version("cegla"),
        "vendored": vendored, "parts": PARTS, "basis_names": states.BASES, "channel_names": states.CHANNELS,
    }  # fmt: skip
