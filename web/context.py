"""What the data routes work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

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


def build(services: Services, drawer: Drawer | None = None) -> Context:
    """The real ones, once a process. Nothing is called yet."""
    settings = services.settings
    return Context(
        settings=settings,
        services=services,
        library=build_library(settings),
        signer=Signer(blob_service(settings.storage), services.now),
        drawer=drawer or Drawer(),
        now=services.now,
    )
