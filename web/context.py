"""What the data routes need: settings, services, the library, and what signs links and draws pages."""

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
    """What the data routes need. One per process."""

    settings: Settings
    services: Services
    library: Library
    signer: Signer
    drawer: Drawer
    now: Callable[[], datetime]


def build(services: Services, drawer: Drawer | None = None) -> Context:
    """The real context of this process. Makes no call."""
    settings = services.settings
    return Context(
        settings=settings,
        services=services,
        library=build_library(settings),
        signer=Signer(blob_service(settings.storage), services.now),
        drawer=drawer or Drawer(),
        now=services.now,
    )
