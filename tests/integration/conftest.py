"""Shared by the integration tests: the app on Azurite, with a Read service that plays a script."""

from collections.abc import Iterator

import pytest

from local.processes import Azurite
from simulation.app import App, Clock, settings_for
from simulation.read_server import ReadServer
from simulation.storage_tap import StorageTap


@pytest.fixture(scope="session")
def tap(azurite: Azurite) -> Iterator[StorageTap]:
    """The wire to storage."""
    with StorageTap(azurite.connection_string) as tap:
        yield tap


@pytest.fixture
def read() -> Iterator[ReadServer]:
    """A Read service of this test's own."""
    with ReadServer() as read:
        yield read


@pytest.fixture
def app(tap: StorageTap, read: ReadServer) -> App:
    """The app, with an input container and nothing else."""
    app = App(settings_for(tap.connection_string, read.endpoint), Clock())
    app.create_inbox()
    return app
