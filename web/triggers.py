"""The HTTP triggers. What requests need is imported when the first request comes."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

import azure.functions as func

from web.hosting import signs_in
from web.routes import ROUTES, Route

if TYPE_CHECKING:
    from shared.assembly import Services
    from shared.settings import Settings
    from web.context import Context


def blueprint(settings: "Settings", environ: Mapping[str, str], services: "Callable[[], Services]") -> func.Blueprint:
    """One HTTP function for each route. ``services`` is called when the first request needs it."""
    triggers = func.Blueprint()  # type: ignore[no-untyped-call]  # its constructor declares no types
    # Under App Service authentication a browser sends a cookie and no key; protection.py checks each request.
    level = func.AuthLevel.ANONYMOUS if signs_in(environ) else func.AuthLevel.FUNCTION

    @cache
    def context() -> "Context":
        from web.context import build

        return build(services())

    for route in ROUTES:
        triggers.function_name(route.name)(
            triggers.route(
                route=route.path,
                trigger_arg_name="request",
                methods=list(route.methods),
                auth_level=func.AuthLevel.ANONYMOUS if route.is_open else level,
            )(_handler(route, settings, environ, context))
        )
    return triggers


def _handler(
    route: Route, settings: "Settings", environ: Mapping[str, str], context: "Callable[[], Context]"
) -> Callable[[func.HttpRequest], func.HttpResponse]:
    def handle(request: func.HttpRequest) -> func.HttpResponse:
        from web.message import Request
        from web.serve import serve

        answer = serve(
            route,
            Request(
                method=request.method,
                query=dict(request.params),
                headers={name.lower(): value for name, value in request.headers.items()},
                body=request.get_body(),
                file=request.route_params.get("file") or "",
            ),
            settings,
            environ,
            context,
        )
        headers = {**answer.headers, "Content-Type": answer.media_type}
        return func.HttpResponse(answer.body, status_code=answer.status, headers=headers)

    return handle
