"""What the data routes work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from shared.assembly import Services, build_library
from shared.library import Library
from shared.settings import Settings
from shared.storage.connection import blob_service
from shared.storage.links import Signer
from web.page_image import Drawer


@dataclass(frozen=True, slots=True)
class Context:
    """The read side, the tasks' services, and what signs links and draws pages."""

    settings: Settings
    services: Services
    library: Library
    signer: Signer
    drawer: Drawer
    now: Callable[[], datetime]
    storage_origin: str
    """Where links lead: scheme and host of the account's blobs."""


def build(services: Services) -> Context:
    """The real ones, once a process. Nothing is called yet."""
    settings = services.settings
    blobs = blob_service(settings.storage)
    parts = urlsplit(str(blobs.url))
    return Context(
        settings=settings,
        services=services,
        library=build_library(settings),
        signer=Signer(blobs, services.now),
        drawer=Drawer(),
        now=services.now,
        storage_origin=f"{parts.scheme}://{parts.netloc}",
    )
