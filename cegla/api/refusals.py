"""Every refusal in one shape, RFC 9457 problem details: by whatever way a call came in, and whatever went wrong."""

from collections.abc import Callable
from typing import Any

import psycopg
import structlog
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.routing import Route as StarletteRoute

from cegla.api.call import language_of
from cegla.vocabulary.errors import Broken, CeglaError, InvalidInput, NotFound, Transient
from cegla.vocabulary.errors.access import MethodWrong
from cegla.vocabulary.errors.installation import DatabaseAway
from cegla.vocabulary.errors.intake import FieldMissing
from cegla.vocabulary.text import Text, misfit

LOG = structlog.get_logger("api")
PROBLEM = "application/problem+json"
UNSTORABLE = Text("wartość spoza zakresu", "a value out of range")
NOT_JSON = Text("treść nie jest poprawnym JSON-em", "the body is not JSON")


def _problem(request: Request, error: CeglaError) -> Response:
    headers = {"cache-control": "no-store"}
    if error.status == 401:
        headers["www-authenticate"] = 'Bearer realm="cegla"'
    if isinstance(error, Transient):
        headers["retry-after"] = str(error.facts.get("seconds", 5))
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
        allowed = ", ".join(_methods(request))
        answer = _problem(request, MethodWrong(where=request.url.path, seen=request.method, method=request.method, allowed=allowed))
        answer.headers["allow"] = allowed
        return answer
    if status == 400:
        return _problem(request, InvalidInput(where="/", detail=NOT_JSON))
    return _problem(request, NotFound(where="path", seen=request.url.path, thing=request.url.path))


def _methods(request: Request) -> list[str]:
    """What the path takes, by all its routes."""
    routes = (route for route in request.app.routes if isinstance(route, StarletteRoute) and route.matches(request.scope)[0] is not Match.NONE)
    return sorted({method for route in routes for method in route.methods or ()})


def _unstorable(request: Request, error: Exception) -> Response:
    """A value that no column can hold, such as a number of thirty digits or half a surrogate pair."""
    return _problem(request, InvalidInput(where=request.url.path, detail=UNSTORABLE))


def _away(request: Request, error: Exception) -> Response:
    LOG.warning("PostgreSQL is away", path=request.url.path, error=type(error).__name__)
    return _problem(request, DatabaseAway(where="dsn"))


def _failed(request: Request, error: Exception) -> Response:
    LOG.error("a call failed", path=request.url.path, error=type(error).__name__, exc_info=error)
    return _problem(request, Broken(where=request.url.path, seen=type(error).__name__, detail=type(error).__name__))


#: By the kind of what was raised, the most exact first; the last one takes what is left.
REFUSALS: tuple[tuple[type[Exception], Callable[[Request, Exception], Response]], ...] = (
    (CeglaError, _refused), (RequestValidationError, _malformed), (HTTPException, _no_such_route), (psycopg.OperationalError, _away),
    (psycopg.DataError, _unstorable), (UnicodeEncodeError, _unstorable), (Exception, _failed),
)  # fmt: skip


def refusal(request: Request, error: BaseException) -> Response:
    """The answer to a call that raised. What is no error of a program is raised again."""
    for kind, said in REFUSALS:
        if isinstance(error, kind):
            return said(request, error)
    raise error
