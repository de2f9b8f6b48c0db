"""Host processes are killed repeatedly while a hundred documents are read, and every promise is kept.

``CHAOS_SECONDS=600 CHAOS_DOCUMENTS=1000 pytest tests/end_to_end/test_chaos.py`` runs for longer, and ``CHAOS_SEED``
draws another schedule. The short run takes a minute.
"""

import os
import sys
from pathlib import Path

import pytest

from local.processes import Azurite, azurite_installation
from tests.end_to_end.chaos import Chaos, Plan

PLAN = Plan(
    seed=int(os.environ.get("CHAOS_SEED", "1")),
    seconds=float(os.environ.get("CHAOS_SECONDS", "25")),
    documents=int(os.environ.get("CHAOS_DOCUMENTS", "100")),
)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.skipif(azurite_installation() is None, reason="Azurite is not installed: `dev.py test` installs it")
def test_documents_survive_hosts_that_are_killed_repeatedly(tmp_path: Path, app_environment: dict[str, str]) -> None:
    print(f"CHAOS_SEED={PLAN.seed}, with logs in {tmp_path}")  # shown if it fails
    with Azurite(logs=tmp_path) as azurite, Chaos(PLAN, azurite.connection_string, app_environment, tmp_path) as chaos:
        chaos.live()
        seen = chaos.check()

    print(seen)
    assert seen["deaths"] >= PLAN.seconds / 10
    assert seen["paid again"], "no host died between Read's answer and the row, so the counting was not tested"
