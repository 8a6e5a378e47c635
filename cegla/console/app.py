"""The console as one ASGI app: guard, then the screen's handler in a thread, then the headers; errors become pages."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import TypeVar, get_args

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount
from starlette.routing import Route as WebRoute
from starlette.staticfiles import StaticFiles

from cegla.compose import actions as compose
from cegla.console import guard
from cegla.console.language import Tongue
from cegla.console.render import STATIC, Renderer
from cegla.console.routes import ONE_CLICK, PUBLIC, ROUTES, Route
from cegla.console.visit import Visit
from cegla.govern import actions as govern
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import CeglaError, NotFound
from cegla.vocabulary.errors.access import NotPermitted
from cegla.vocabulary.text import Language

LOG = structlog.get_logger("console")
T = TypeVar("T", bound=str)
THEMES = ("auto", "light", "dark")


def build_console(ws: Workspace, holders: Sequence[govern.Holder] = ()) -> Starlette:
    """The console over one workspace; `holders` are asked when a person's data is given out or erased."""
    console = Console(ws, tuple(holders))
    routes = [WebRoute(route.path, console.endpoint(route), methods=[route.method]) for route in ROUTES]
    return Starlette(
        routes=[Mount("/static", KeptFiles(directory=STATIC), name="static"), *routes],
        exception_handlers={HTTPException: console.not_here, Exception: console.failed},
    )


class KeptFiles(StaticFiles):
    """Our own files; their address changes with their content, so browsers keep them."""

    async def get_response(self, path: str, scope: "dict[str, object]") -> Response:  # type: ignore[override]
        answer = await super().get_response(path, scope)  # type: ignore[arg-type]
        stamped = bytes(scope.get("query_string", b"")).startswith(b"v=")  # type: ignore[arg-type]
        answer.headers["cache-control"] = "public, max-age=31536000, immutable" if stamped else "public, max-age=3600"
        answer.headers["x-content-type-options"] = "nosniff"
        return answer


class Console:
    """What all requests share: the workspace, the templates, the holders."""

    def __init__(self, ws: Workspace, holders: tuple[govern.Holder, ...]) -> None:
        self.ws = ws
        self.holders = holders
        self.renderer = Renderer()
        self.press = compose.Press()

    def endpoint(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        """The web side of one row of the route table."""

        async def answer(request: Request) -> Response:
            if route.method != "POST":
                return await run_in_threadpool(self.answer, request, route, FormData())
            # The form of a wide file has four fields for each column. Uploaded files end with this block.
            async with request.form(max_files=4, max_fields=10_000, max_part_size=2_000_000) as form:
                return await run_in_threadpool(self.answer, request, route, form)

        return answer

    def answer(self, request: Request, route: Route, form: FormData) -> Response:
        """Guard, handle, dress."""
        visit = self.visit(request, form)
        try:
            if route.method == "POST" and route.permission != ONE_CLICK:
                guard.refuse_foreign(request, visit.field(guard.TOKEN_FIELD) or request.headers.get("x-csrf", ""), visit.csrf)
            if route.permission not in (PUBLIC, ONE_CLICK) and visit.user is None:
                return self.finish(request, visit, RedirectResponse("/sign-in", status_code=303))
            if route.permission.count(".") and not visit.may(route.permission):
                raise NotPermitted(where=route.path, permission=visit.tongue.say(govern.PERMISSIONS[route.permission]))
            answer = route.handler(visit)
        except CeglaError as error:
            answer = self.refusal(visit, error)
        return self.finish(request, visit, answer)

    def visit(self, request: Request, form: FormData) -> Visit:
        """Everything a screen may know about the request."""
        ws, now = self.ws, self.ws.clock()
        session = request.cookies.get(guard.cookie_name(request, guard.SESSION_COOKIE), "")
        user = self.user(session, now)
        anonymous = request.cookies.get(guard.cookie_name(request, guard.VISIT_COOKIE), "")
        fresh = {} if user or anonymous else {guard.VISIT_COOKIE: secrets.token_urlsafe(16)}
        cookie = session if user else anonymous or fresh[guard.VISIT_COOKIE]
        language = self.language(request)
        return Visit(
            ws=ws, press=self.press, renderer=self.renderer, holders=self.holders, method=request.method, path=request.url.path,
            arguments={key: str(value) for key, value in request.path_params.items()}, form=form,
            query={key: value.replace("\0", "") for key, value in request.query_params.items()},  # which PostgreSQL takes in no text
            user=user, session=session if user else "", tongue=Tongue(language, ws.settings.zone, ws.settings.currency),
            theme=_one_of(request.cookies.get(guard.cookie_name(request, "cegla_theme"), ""), THEMES, "auto"),
            keys=request.cookies.get(guard.cookie_name(request, "cegla_keys")) != "off", now=now, csrf=guard.form_token(ws.keys, cookie),
            partial=request.headers.get("hx-request") == "true", base_url=str(request.base_url).rstrip("/"),
            user_agent=request.headers.get("user-agent", "")[:200], network=request.client.host if request.client else "", answer_cookies=dict(fresh),
        )  # fmt: skip

    def language(self, request: Request) -> Language:
        """What the address asks for, else what the visitor chose; recipients of messages, who never chose, get what their browser asks for."""
        known = get_args(Language)
        fallback = self.ws.settings.language
        if request.scope.get("route_path", request.url.path)[:3] in ("/p/", "/c/", "/u/"):
            wanted = [part.strip()[:2].lower() for part in request.headers.get("accept-language", "").split(",")]
            fallback = next((_one_of(one, known, fallback) for one in wanted if one in known), fallback)
        chosen = _one_of(request.cookies.get(guard.cookie_name(request, "cegla_language"), ""), known, fallback)
        return _one_of(request.query_params.get("lang", ""), known, chosen)

    def user(self, session: str, now: datetime) -> govern.User | None:
        """Who is signed in."""
        if not session:
            return None
        with self.ws.transaction() as conn:
            return govern.session_of(conn, session, now)

    def finish(self, request: Request, visit: Visit, answer: Response) -> Response:
        """Cookies and headers."""
        for name, value in visit.answer_cookies.items():
            guard.put_cookie(request, answer, name, value)
        return guard.dress(request, answer)

    def refusal(self, visit: Visit, error: CeglaError) -> Response:
        """A page for an error somebody should read: what, where, the value seen, what to do, the code."""
        return visit.page("error.html", {"problem": error.problem(visit.language)}, block="content", status=error.status)

    async def not_here(self, request: Request, error: Exception) -> Response:
        """No such page, or no such method on it."""
        return await run_in_threadpool(self._error_page, request, NotFound(where=request.url.path, thing=request.url.path))

    async def failed(self, request: Request, error: Exception) -> Response:
        """Something nobody expected: the log has the trace, the page has the code."""
        LOG.error("a page failed", path=request.scope.get("route_path", ""), error=type(error).__name__)
        return await run_in_threadpool(self._error_page, request, CeglaError())

    def _error_page(self, request: Request, error: CeglaError) -> Response:
        visit = self.visit(request, FormData())
        return self.finish(request, visit, self.refusal(visit, error))


def _one_of(value: str, known: Sequence[T], default: T) -> T:
    return next((one for one in known if one == value), default)
