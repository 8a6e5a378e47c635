"""The API as an ASGI application: every route of the table, one shape for every refusal."""

from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute

from cegla.api.call import needs
from cegla.api.hot import answered
from cegla.api.plain import plain
from cegla.api.profiles import Profiles
from cegla.api.refusals import REFUSALS
from cegla.api.routes import ROUTES, Route
from cegla.api.visitor import Turnstile
from cegla.govern import actions as govern
from cegla.storage.workspace import Workspace


def build_api(ws: Workspace, holders: Sequence[govern.Holder], token: str) -> FastAPI:
    """The API over one workspace; to be mounted at /api/v1. `token` is the key of the data directory's owner: it may do everything."""
    api = FastAPI(title="Cegla", version="1", docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    api.state.ws, api.state.holders, api.state.token = ws, holders, token
    api.state.profiles, api.state.turnstile = Profiles(ws), Turnstile()
    for route in ROUTES:
        if route.hot:
            api.router.add_api_route(
                route.path, route.handler, methods=[route.method], summary=route.summary, operation_id=route.key, response_model=None,
                route_class_override=_hot(route),
            )  # fmt: skip
            continue
        guards = [Depends(needs(route.permission))] if route.permission else []
        api.add_api_route(
            route.path, _answering(route.handler), methods=[route.method], dependencies=guards,
            summary=route.summary, operation_id=route.key, response_model=None,
        )  # fmt: skip
    for kind, said in REFUSALS:
        api.add_exception_handler(kind, said)
    return api


def _hot(route: Route) -> type[APIRoute]:
    """A kind of route that is described like any other, and answered by `hot.answered`."""

    class Hot(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            async def answer(request: Request) -> Response:
                return await answered(route, request, await request.body())

            return answer

    return Hot


def _answering(handler: Callable[..., Any]) -> Callable[..., Response]:
    @wraps(handler)
    def answer(*args: Any, **kwargs: Any) -> Response:
        found = handler(*args, **kwargs)
        return found if isinstance(found, Response) else JSONResponse(plain(found), headers={"cache-control": "no-store"})

    return answer
