"""The HTTP interface over the app on Azurite, asked as the host would ask it, and the documents of its examples."""

import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from PIL import Image

from simulation.app import App
from simulation.read_server import ReadServer, accepted, as_json
from web.context import Context, build
from web.message import Request, Response
from web.operations import BROKEN, EXAMPLE_PAGE, INVOICE
from web.page_image import Drawer
from web.routes import ROUTES
from web.serve import serve


class Interface:
    """Sends requests to the app. ``environ`` has the platform's environment variables."""

    def __init__(self, app: App, environ: Mapping[str, str] | None = None, drawer: Drawer | None = None) -> None:
        self.app = app
        self.environ = dict(environ or {})
        self.context: Context = build(app.services, drawer or Drawer())
        self._routes = {route.name: route for route in ROUTES}

    def get(self, route: str, headers: Mapping[str, str] | None = None, **parameters: object) -> Response:
        query = {name: str(value) for name, value in parameters.items()}
        return self._serve(route, Request(query=query, headers=headers or {}))

    def post(self, route: str, headers: Mapping[str, str] | None = None, **parameters: object) -> Response:
        sent = {"content-type": "application/json", **(headers or {})}
        return self._serve(route, Request(method="POST", headers=sent, body=json.dumps(parameters).encode()))

    def raw(self, route: str, body: bytes, content_type: str = "application/json") -> Response:
        return self._serve(route, Request(method="POST", headers={"content-type": content_type}, body=body))

    def follow(self, link: str) -> Response:
        """A nextLink."""
        parts = urlsplit(link)
        route = next(each.name for each in ROUTES if f"/api/{each.path}" == parts.path)
        return self._serve(route, Request(query=dict(parse_qsl(parts.query, keep_blank_values=True))))

    def _serve(self, route: str, request: Request) -> Response:
        return serve(self._routes[route], request, self.app.settings, self.environ, lambda: self.context)


def answer(response: Response, status: int = 200) -> Any:
    """The JSON of an answer of this status."""
    assert response.status == status, (response.status, response.body[:500])
    return json.loads(response.body)


def code(response: Response) -> str:
    """The code of a problem, which is in its body and its header."""
    body = json.loads(response.body)
    assert response.media_type == "application/problem+json"
    assert body["code"] == response.headers["x-ms-error-code"]
    assert body["advice"]
    assert body["status"] == response.status
    return str(body["code"])


def example_result() -> dict[str, Any]:
    """Read's answer for the examples' invoice."""
    lines = [
        {
            "text": line["text"],
            "boundingBox": line["box"],
            "language": line["language"],
            "appearance": {"style": {"name": "other", "confidence": 0.9}},
            "words": [
                {"text": word["text"], "boundingBox": word["box"], "confidence": word["confidence"]}
                for word in line["words"]
            ],
        }
        for line in EXAMPLE_PAGE["lines"]
    ]
    about = {name: EXAMPLE_PAGE[name] for name in ("page", "angle", "width", "height", "unit", "language")}
    return {
        "status": "succeeded",
        "analyzeResult": {
            "version": "3.2.0",
            "modelVersion": "2022-04-30",
            "readResults": [{**about, "lines": lines}],
        },
    }


def picture(width: int = 400, height: int = 200) -> bytes:
    """A PNG."""
    body = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(body, "PNG")
    return body.getvalue()


def store_examples(app: App, read: ReadServer) -> None:
    """The documents in the examples."""
    read.posts.append(accepted("example"))
    read.gets.append(as_json(200, example_result()))
    app.drop(INVOICE, picture(), metadata={"language": "en"})
    app.read(INVOICE)
    refusal = {"error": {"code": "InvalidImageSize", "message": "The input image is too large or too small."}}
    read.posts.append(as_json(400, refusal))
    app.drop(BROKEN, picture(30, 30))
    app.read(BROKEN)
