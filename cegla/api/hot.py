"""Hot routes: their handlers get the request and the read body, without the machinery of dependencies, parameters and models around it."""

from typing import Any, get_type_hints

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from cegla.api.call import needs, opened
from cegla.api.routes import ROUTES, Route

HOT = tuple(route for route in ROUTES if route.hot)
SHAPES: dict[str, Any] = {route.key: get_type_hints(route.handler)["body"] for route in HOT}


async def answered(route: Route, request: Request, body: bytes) -> Response:
    """The answer of a hot route. Raises what its handler raises, and RequestValidationError.

    The handler checks who calls; here that is done only where the body cannot be read, so that a stranger learns nothing about it.
    """
    try:
        asked = SHAPES[route.key].model_validate_json(body)
    except ValidationError as error:
        if route.permission:
            needs(route.permission)(await run_in_threadpool(opened, request))
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in error.errors()]) from None
    return await route.handler(request, asked)
