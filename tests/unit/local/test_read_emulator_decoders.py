"""The processes that decode files: what they may cost, and that they leave nothing behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from local.paths import ROOT
from local.read_emulator.decoders import Decoders
from local.read_emulator.documents import Limits
from local.read_emulator.refusals import OverBudget, Reason, Rejected, Unreadable
from tests.unit.local.odd_files import (
    drawn,
    frames,
    more_pages_than_it_says,
    nested_forms,
    pdf_page,
    pdf_with,
    saved,
    wide_tree,
)

pytestmark = pytest.mark.slow

USUAL = Limits()


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    pool = Decoders(1, seconds=5)
    yield pool
    pool.close()


def stored(decoders: Decoders, content: bytes) -> Path:
    with decoders.new_file() as file:
        file.write(content)
    return Path(file.name)


def test_a_page_arrives_as_it_was_decoded(decoders: Decoders) -> None:
    document = decoders.describe(stored(decoders, frames(drawn(), drawn("Two"))), USUAL)
    assert (document.page_count, document.unit) == (2, "pixel")
    image, seconds = decoders.page(document, 2)
    assert np.array_equal(image.pixels[:, :, 0], np.asarray(drawn("Two")))
    assert (image.number, image.width, image.height, image.unit) == (2, 420, 120, "pixel")
    assert seconds < 5


def test_a_rejected_file_and_a_broken_page_are_reported(decoders: Decoders) -> None:
    with pytest.raises(Rejected) as refused:
        decoders.describe(stored(decoders, saved(drawn(), "GIF")), USUAL)
    assert (refused.value.reason, refused.value.subject) == (Reason.NOT_A_DOCUMENT, "GIF")
    document = decoders.describe(stored(decoders, frames(drawn(), drawn(size=(40, 60)))), USUAL)
    with pytest.raises(Unreadable, match="too few pixels") as broken:
        decoders.page(document, 2)
    assert broken.value.size == (40, 60)


def test_a_page_that_would_take_hours_is_ended_and_the_next_one_is_decoded(decoders: Decoders) -> None:
    document = decoders.describe(stored(decoders, nested_forms()), USUAL)
    begun = time.monotonic()
    with pytest.raises(OverBudget):
        decoders.page(document, 1)
    assert time.monotonic() - begun < 10
    good = decoders.describe(stored(decoders, pdf_with(pdf_page())), USUAL)
    assert decoders.page(good, 1)[0].width == pytest.approx(300 / 72)


def test_the_count_of_a_page_tree_that_would_take_hours_to_walk_is_believed(decoders: Decoders) -> None:
    document = decoders.describe(stored(decoders, wide_tree()), USUAL)
    assert document.page_count == 5  # whether the tree was walked in time or not


def test_a_file_that_takes_long_to_inspect_delays_a_post_by_seconds_only() -> None:
    before = spent_by_children()
    pool = Decoders(1)
    document = pool.describe(stored(pool, more_pages_than_it_says()), USUAL)
    pool.close()
    assert (document.page_count, document.page_tree) == (1, False)
    assert spent_by_children() - before < 10


def spent_by_children() -> float:
    """The CPU seconds of the child processes that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def test_a_removed_document_leaves_no_file(decoders: Decoders) -> None:
    document = decoders.describe(stored(decoders, pdf_with(pdf_page())), USUAL)
    assert document.path.exists()
    decoders.remove(document.path)
    assert not document.path.exists()


def test_a_closed_pool_leaves_neither_folder_nor_process() -> None:
    pool = Decoders(1)
    pool.describe(stored(pool, pdf_with(pdf_page())), USUAL)
    pool.close()
    assert not pool.folder.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_killed_process_leaves_no_document() -> None:
    program = (
        "from local.read_emulator.decoders import Decoders\n"
        "pool = Decoders(1); pool.warm(); pool.new_file().write(b'secret'); print(pool.folder, flush=True); input()"
    )
    with subprocess.Popen(  # noqa: S603 - this repository's module
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        folder = Path(process.stdout.readline().strip())
        assert folder.is_dir()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    end = time.monotonic() + 20
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert not folder.exists()
