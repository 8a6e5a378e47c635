"""One request as a screen sees it, and the answers a screen can give."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from cegla.compose import actions as compose
from cegla.console.digits import whole
from cegla.console.language import Tongue
from cegla.console.menu import DONE, MENU, Item, has_mailbox
from cegla.console.render import Renderer
from cegla.govern import actions as govern
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import NotFound
from cegla.vocabulary.errors.intake import ChoiceUnknown, FieldMissing
from cegla.vocabulary.people import parse_person_label
from cegla.vocabulary.text import Language

Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True)
class Visit:
    """A request that passed the guard. `user` is None on public pages only; `form` is empty on GET."""

    ws: Workspace
    press: compose.Press  #: draws letters
    renderer: Renderer
    holders: Sequence[govern.Holder]
    method: str
    path: str
    arguments: Mapping[str, str]  #: the parts of the path: {"id": "12"}
    query: Mapping[str, str]
    form: FormData
    user: govern.User | None
    session: str  #: the session's token, or "" for visitors without one
    tongue: Tongue
    theme: str
    keys: bool  #: single-key shortcuts wanted
    now: datetime
    csrf: str
    partial: bool  #: htmx asks for a part of the page
    base_url: str
    user_agent: str = ""
    network: str = ""  #: the address the request came from, as far as the server in front tells
    answer_cookies: dict[str, str | None] = field(default_factory=dict)  #: cookies to set (None removes)

    @property
    def language(self) -> Language:
        """The visitor's language."""
        return self.tongue.language

    @property
    def actor(self) -> str:
        """Who acts, for the audit log."""
        return self.user.name if self.user else "visitor"

    @property
    def public_address(self) -> str:
        """Where others reach this installation; unless that is set, where this visitor does."""
        return (self.ws.settings.app.public_url or self.base_url).rstrip("/")

    def may(self, permission: str) -> bool:
        """Whether the user's role holds this permission."""
        return self.user is not None and self.user.may(permission)

    @property
    def menu(self) -> list[Item]:
        """The screens this user may open."""
        return [item for item in MENU if (self.may(item.permission) or not item.permission) and (item.href != "/mailbox" or has_mailbox(self.ws.settings))]

    @property
    def section(self) -> str:
        """The menu's entry this page belongs to."""
        return "/" + self.path.strip("/").partition("/")[0]

    @property
    def done(self) -> dict[str, str]:
        """What `?done=` may say after a write."""
        return DONE

    @property
    def purposes(self) -> Mapping[str, govern.Purpose]:
        """The purposes in force."""
        with self.ws.transaction() as conn:
            return govern.register.purposes(conn)

    def number(self, name: str) -> int:
        """A number from the path. Raises NotFound when it is none."""
        text = self.arguments.get(name, "")
        if (number := whole(text)) is None:
            raise NotFound(where=self.path, seen=text, thing=text)
        return number

    def person(self) -> int:
        """The person of the path, as `/people/12` or as people write it, `/people/p12`. Raises NotFound when it is neither."""
        text = self.arguments.get("id", "")
        number = parse_person_label(text)
        if number is None:
            raise NotFound(where=self.path, seen=text, thing=text)
        return number

    def asked_number(self, name: str, default: int = 0) -> int:
        """A number from the query string; anything else counts as the default."""
        found = whole(self.query.get(name, ""))
        return default if found is None else found

    def asked_place(self, name: str) -> tuple[datetime, int] | None:
        """Where a page of a list goes on, from the query string: the moment and the number of the last row seen. None: from the beginning."""
        moment, _, number = self.query.get(name, "").partition("-")
        try:
            at = datetime.fromtimestamp(float(moment), UTC)
        except (ValueError, OverflowError):
            return None
        last = whole(number)
        return None if last is None else (at, last)

    def typed_number(self, name: str, default: int = 0) -> int:
        """A number from the form; anything else counts as the default."""
        found = whole(self.field(name))
        return default if found is None else found

    def field(self, name: str, default: str = "") -> str:
        """A text field of the form, stripped, and without the character NUL, which no column can hold."""
        value = self.form.get(name, default)
        return value.replace("\0", "").strip() if isinstance(value, str) else default

    def required(self, name: str) -> str:
        """A text field that must not be empty. Raises FieldMissing."""
        value = self.field(name)
        if not value:
            raise FieldMissing(where=name, field=name)
        return value

    def one_of(self, name: str, values: Iterable[Choice]) -> Choice:
        """A field of the form that says one of a few things. Raises ChoiceUnknown when it says another, or nothing."""
        said, told = self.field(name), list(values)
        for one in told:
            if said == one:
                return one
        raise ChoiceUnknown(where=name, seen=said, field=name, value=said, values=", ".join(told))

    def page(self, template: str, model: Mapping[str, Any], *, block: str = "", status: int = 200) -> Response:
        """An HTML answer; when htmx asks and `block` names a part of the template, only that part."""
        part = block if self.partial else ""
        return Response(self.renderer.render(template, self, model, part), status, media_type="text/html", headers={"vary": "HX-Request"})


def see_other(path: str, **query: object) -> Response:
    """After a write: go and look at this page of the console."""
    return RedirectResponse(path + ("?" + urlencode(query) if query else ""), status_code=303)


def go(visit: Visit, path: str, **query: object) -> Response:
    """The same after a form that scripts send: they would put the page that follows into the one that is there."""
    answer = see_other(path, **query)
    return Response(status_code=204, headers={"hx-redirect": answer.headers["location"]}) if visit.partial else answer
