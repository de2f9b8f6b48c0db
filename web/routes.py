"""What the host must know about each HTTP function: name, route, methods, and whether it is open to anybody.

In a file of its own because every start of the app imports it. The host sorts routes by the functions' names and
takes the first that matches (azure-functions-host, issue 9876), so no two of these match the same path.
"""

from typing import NamedTuple

PREFIX = "/api"
"""Where the host puts all routes, unless host.json says otherwise."""


class Route(NamedTuple):
    """One HTTP function."""

    name: str
    path: str
    """Below PREFIX."""
    methods: tuple[str, ...]
    is_open: bool = False
    """Whether it is served without a key, because it holds no data."""


_READ = ("GET", "POST")

ROUTES = (
    Route("documents", "documents", _READ),
    Route("counts", "counts", _READ),
    Route("document", "document", _READ),
    Route("lines", "lines", _READ),
    Route("page", "page", _READ),
    Route("page_image", "page-image", _READ),
    Route("links", "links", _READ),
    Route("uploads", "uploads", ("POST",)),
    Route("read_again", "read-again", ("POST",)),
    Route("forget", "forget", ("POST",)),
    Route("check", "check", ("GET",)),
    Route("openapi", "openapi.json", ("GET",), is_open=True),
    # For an empty route the host takes the function's name; this one matches just the prefix, with or without a slash.
    Route("site", "{ignored:maxlength(0)?}", ("GET",), is_open=True),
    Route("site_files", "static/{*file}", ("GET",), is_open=True),
)
