"""The API as an ASGI application: every route of the table, one shape for every refusal."""

from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any, get_type_hints

import psycopg
import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from cegla.api.call import language_of, needs, opened
from cegla.api.plain import plain
from cegla.api.profiles import Profiles
from cegla.api.routes import ROUTES
from cegla.api.visitor import Turnstile
from cegla.govern import actions as govern
from cegla.storage.workspace import Workspace
from cegla.vocabulary.errors import Broken, CeglaError, InvalidInput, NotFound, Transient, WrongUsage
from cegla.vocabulary.errors.installation import DatabaseAway
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.text import Text, misfit

LOG = structlog.get_logger("api")
PROBLEM = "application/problem+json"
UNSTORABLE = Text("wartość spoza zakresu", "a value out of range")
NOT_JSON = Text("treść nie jest poprawnym JSON-em", "the body is not JSON")


def build_api(ws: Workspace, holders: Sequence[govern.Holder], token: str) -> FastAPI:
    """The API over one workspace; to be mounted at /api/v1. `token` is the key of the data directory's owner: it may do everything."""
    api = FastAPI(title="Cegla", version="1", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    api.state.ws, api.state.holders, api.state.token = ws, holders, token
    api.state.profiles, api.state.turnstile = Profiles(ws), Turnstile()
    for route in ROUTES:
        if route.hot:
            api.router.add_api_route(
                route.path, route.handler, methods=[route.method], summary=route.summary, operation_id=route.key, response_model=None,
                route_class_override=_hot(route.permission),
            )  # fmt: skip
            continue
        guards = [Depends(needs(route.permission))] if route.permission else []
        api.add_api_route(
            route.path, _answering(route.handler), methods=[route.method], dependencies=guards,
            summary=route.summary, operation_id=route.key, response_model=None,
        )  # fmt: skip
    api.add_exception_handler(CeglaError, _refused)
    api.add_exception_handler(RequestValidationError, _malformed)
    api.add_exception_handler(HTTPException, _no_such_route)
    api.add_exception_handler(psycopg.OperationalError, _away)
    api.add_exception_handler(psycopg.DataError, _unstorable)
    api.add_exception_handler(UnicodeEncodeError, _unstorable)
    api.add_exception_handler(Exception, _failed)
    return api


def _hot(permission: str) -> type[APIRoute]:
    """A kind of route whose handler is called with the request and its read body, without the machinery of dependencies around it.

    The handler checks who calls; here that is done only where the body cannot be read, so that a stranger learns nothing about it.
    """

    class Hot(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler, shape = self.endpoint, get_type_hints(self.endpoint)["body"]

            async def answer(request: Request) -> Response:
                try:
                    body = shape.model_validate_json(await request.body())
                except ValidationError as error:
                    if permission:
                        needs(permission)(await run_in_threadpool(opened, request))
                    raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
                return await handler(request, body)

            return answer

    return Hot


def _answering(handler: Callable[..., Any]) -> Callable[..., Response]:
    @wraps(handler)
    def answer(*args: Any, **kwargs: Any) -> Response:
        found = handler(*args, **kwargs)
        return found if isinstance(found, Response) else JSONResponse(plain(found), headers={"cache-control": "no-store"})

    return answer


def _problem(request: Request, error: CeglaError) -> Response:
    headers = {"cache-control": "no-store"}
    if error.status == 401:
        headers["www-authenticate"] = 'Bearer realm="cegla"'
    if isinstance(error, Transient):
        headers["retry-after"] = "5"
    content = error.problem(language_of(request)) | {"exit_code": error.exit_code}
    return JSONResponse(content, status_code=error.status, media_type=PROBLEM, headers=headers)


def _refused(request: Request, error: Exception) -> Response:
    return _problem(request, error if isinstance(error, CeglaError) else Broken(detail=type(error).__name__))


def _malformed(request: Request, error: Exception) -> Response:
    """The first thing that does not fit, as a JSON pointer with the value seen."""
    first: dict[str, Any] = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    where = "".join(f"/{part}" for part in first.get("loc", ()) if part != "body") or "/"
    if first.get("type") == "missing":
        return _problem(request, FieldMissing(where=where, field=where.rpartition("/")[2] or "body"))
    seen = first.get("input", "")
    return _problem(request, InvalidInput(where=where, seen="" if isinstance(seen, dict) else seen, detail=misfit(first, {})))


def _no_such_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    if status == 405:
        return _problem(request, WrongUsage(where=request.url.path, seen=request.method, detail=f"{request.method} {request.url.path}"))
    if status == 400:
        return _problem(request, InvalidInput(where="/", detail=NOT_JSON))
    return _problem(request, NotFound(where="path", seen=request.url.path, thing=request.url.path))


def _unstorable(request: Request, error: Exception) -> Response:
    """A value that no column can hold, such as a number of thirty digits or half a surrogate pair."""
    return _problem(request, InvalidInput(where=request.url.path, seen=type(error).__name__, detail=UNSTORABLE))


def _away(request: Request, error: Exception) -> Response:
    LOG.warning("PostgreSQL is away", path=request.url.path, error=type(error).__name__)
    return _problem(request, DatabaseAway(where="dsn"))


def _failed(request: Request, error: Exception) -> Response:
    LOG.error("a call failed", path=request.url.path, error=type(error).__name__, exc_info=error)
    return _problem(request, Broken(where=request.url.path, seen=type(error).__name__, detail=type(error).__name__))
