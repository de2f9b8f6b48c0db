"""dev.py run: a file goes in, its text comes out, through real blobs, queues and tables."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest
import requests

from local.paths import ROOT
from local.processes import ReadEmulator
from tests.end_to_end.dev import Dev, descendants, read_until, running, wait_for

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and processes as POSIX has them")


@pytest.mark.quick
def test_own_samples_are_read_and_stored(dev: Dev) -> None:
    documents = dev.read()

    assert sorted(documents) == ["invoice.pdf", "photo.jpg"]  # each is printed when it has been read
    invoice, photo = documents["invoice.pdf"], documents["photo.jpg"]
    assert {"Harbour Lane Bicycles", "Invoice 2024-0117", "96.30"} <= set(invoice["text"].splitlines())
    assert photo["text"].splitlines()[0] == "FERRY TIMES"
    assert photo["text"] == "\n".join(line["text"] for line in photo["lines"])
    assert {len(line["boundingBox"]) for line in invoice["lines"] + photo["lines"]} == {8}
    assert (invoice["status"], invoice["pageCount"], invoice["error"]) == ("succeeded", 1, None)
    assert (invoice["textBlob"], invoice["resultBlob"]) == ("invoice.pdf.txt", "invoice.pdf.json")

    # The stack has ended; the next one finds what it stored.
    assert dev("status").stdout == "2 files: 2 succeeded\n"
    assert dev("text", "photo.jpg").stdout == photo["text"] + "\n"
    assert [line.split() for line in dev("list").stdout.splitlines()] == [
        ["invoice.pdf", "succeeded"],
        ["photo.jpg", "succeeded"],
    ]


def test_a_person_is_shown_progress_text_and_where_it_is_stored(dev: Dev) -> None:
    done = dev("run", str(ROOT / "samples/photo.jpg"))

    assert done.returncode == 0
    assert "photo.jpg  dropped" in done.stderr
    assert "photo.jpg  succeeded: 1 page, 4 lines" in done.stderr
    assert "---- photo.jpg (1 page, 4 lines) ----\nFERRY TIMES\n" in done.stdout
    assert "---- in results/photo.jpg.txt, results/photo.jpg.json" in done.stdout
    assert f"1 file: 1 succeeded. What is stored, until `python3 dev.py clean`, is in {dev.state}" in done.stdout


def test_each_file_that_is_not_a_document_gets_a_row_and_stops_no_other(dev: Dev, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "sub folder").mkdir(parents=True)
    contents = {
        "empty.pdf": b"",
        "broken.pdf": b"%PDF-1.4 and no more",
        "note.txt": b"plain text",
        ".DS_Store": b"\x00",
        "sub folder/a #?%:!~'.jpg": (ROOT / "samples/photo.jpg").read_bytes(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)

    documents = dev.read(folder, status=1)

    assert {name: item["status"] for name, item in documents.items()} == {
        "empty.pdf": "failed",
        "broken.pdf": "failed",
        "note.txt": "failed",
        ".DS_Store": "ignored",
        "sub folder/a #?%:!~'.jpg": "succeeded",
    }
    assert all(documents[name]["error"]["advice"] for name in ("empty.pdf", "broken.pdf", "note.txt"))
    failed = [json.loads(line) for line in dev("list", "--status", "failed", "--json").stdout.splitlines()]
    assert {item["name"]: item["errorCode"] for item in failed} == {
        name: documents[name]["error"]["code"] for name in ("broken.pdf", "empty.pdf", "note.txt")
    }
    assert dev("text", "empty.pdf").returncode == 1


def test_real_documents_of_every_format_are_read(dev: Dev, shared_samples: Path) -> None:
    expected = {
        "fr-Invoice_1.pdf": "Contoso Address: 1020 Enterprise Way Invoice Number Invoice Date 6/18/2017 34278587",
        "ms-printed_text.jpg": "Nutrition Facts Amount Per Serving Serving size: 1 bar (40g) Total Fat",
        "ms-handwritten_text.jpg": "You must be the change you want to see in the",
        "signage.jpg": "520 WEST Seattle",
        "mpf-eng-90deg.png": "All human beings are born free and equal in dignity and rights.",
        "tess-phototest.tif": (shared_samples / "tess-phototest.gold.txt").read_text(),
    }

    documents = dev.read(shared_samples / "tika-testTIFF_multipage.tif", *(shared_samples / name for name in expected))

    for name, text in expected.items():
        words = text.split()
        found = set(documents[name]["text"].split())
        assert sum(word in found for word in words) / len(words) >= 0.8, (name, documents[name]["text"])
    assert documents["tika-testTIFF_multipage.tif"]["pageCount"] == 2


def test_with_a_proxy_set_nothing_on_this_machine_is_called_through_it(dev: Dev) -> None:
    proxy = "http://127.0.0.1:9"  # nobody listens there

    documents = dev.read(
        ROOT / "samples/photo.jpg",
        NO_PROXY="corp.example",
        HTTP_PROXY=proxy,
        http_proxy=proxy,
        HTTPS_PROXY=proxy,
        https_proxy=proxy,
    )

    assert documents["photo.jpg"]["status"] == "succeeded"


@posix
def test_a_file_whose_name_would_break_listings_is_refused_and_the_next_is_read(dev: Dev, tmp_path: Path) -> None:
    for name in ("a\x01b.jpg", "c\n  forged.pdf  succeeded\u202e.jpg"):
        (tmp_path / name).write_bytes((ROOT / "samples/photo.jpg").read_bytes())

    done = dev("run", str(tmp_path))

    assert done.returncode == 1
    assert "control character" in done.stdout
    assert "2 files: 1 succeeded, 1 failed" in done.stdout
    assert not any(line.startswith("  forged") for line in (done.stdout + done.stderr).splitlines())
    assert "\u202e" not in done.stdout + done.stderr
    assert dev("missed", "--dry-run").returncode == 0


def test_a_missing_file_starts_nothing(dev: Dev) -> None:
    done = dev("run", str(ROOT / "samples/photo.jpg"), "missing.pdf")

    assert (done.returncode, done.stdout, done.stderr) == (2, "", "There is no file missing.pdf.\n")
    assert not dev.state.exists()


def test_a_read_resource_is_announced_first_and_no_emulator_is_started(
    dev: Dev, tmp_path: Path, app_environment: dict[str, str]
) -> None:
    with ReadEmulator(logs=tmp_path, environment=app_environment) as read:
        done = dev("run", str(ROOT / "samples/photo.jpg"), READ_ENDPOINT=read.endpoint)

    assert done.returncode == 0
    assert done.stderr.splitlines()[0] == f"Reading with {read.endpoint} (v3.2)."
    assert not (dev.state / "logs/read.log").exists()


@posix
def test_run_uses_the_running_stack_of_up_and_ctrl_c_stops_all_of_it(dev: Dev) -> None:
    with dev.start("up", "--ports", "0") as up:
        shown = read_until(up.stdout, "Ctrl-C stops everything")
        started = descendants(up.pid)

        assert "UseDevelopmentStorage" not in shown  # which would be other ports
        documents = dev.read(ROOT / "samples/photo.jpg")
        second = dev("up", "--ports", "0")
        cleaned = dev("clean")
        os.killpg(up.pid, signal.SIGINT)
        up.communicate(timeout=30)

    assert documents["photo.jpg"]["status"] == "succeeded"
    assert second.returncode == cleaned.returncode == 2
    assert f"`dev.py up` (process {up.pid}) is using the stored data" in second.stderr
    assert up.returncode == 0
    assert len(started) >= 3
    assert not running(started)
    assert dev("clean").returncode == 0
    assert dev("status").stdout == "0 files\n"


@posix
def test_up_prints_the_address_of_the_page_which_needs_a_key_and_may_use_links_to_blobs(dev: Dev) -> None:
    with dev.start("up", "--ports", "0") as up:
        shown = read_until(up.stdout, "Ctrl-C stops everything")
        address, key = re.findall(r"page +(http://localhost:\d+/api/) \(its key is (\w+)\)", shown)[0]
        page = requests.get(address, timeout=30)
        answers = [
            requests.get(f"{address}documents", headers=headers, timeout=30).status_code
            for headers in ({}, {"x-functions-key": "wrong"}, {"x-functions-key": key})
        ]
        blobs = next(part for part in shown.split(";") if part.startswith("BlobEndpoint=")).partition("=")[2]
        asked = {"Origin": address.removesuffix("/api/"), "Access-Control-Request-Method": "PUT"}
        preflight = requests.options(f"{blobs}/inbox/a.png", headers=asked, timeout=30)
        done = dev("run", str(ROOT / "samples/photo.jpg"))
        os.killpg(up.pid, signal.SIGINT)
        up.communicate(timeout=30)

    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    assert answers == [401, 401, 200]
    assert preflight.status_code == 200
    assert f"To look at it: open {address}" in done.stdout


@posix
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
@pytest.mark.parametrize("stage", ["Starting", "reading"])
def test_no_process_is_left_however_and_whenever_a_run_ends(
    dev: Dev, stage: str, number: signal.Signals, status: int
) -> None:
    with dev.start("run") as run:
        read_until(run.stderr, stage)
        started = descendants(run.pid)

        run.send_signal(number)
        run.communicate(timeout=30)

    assert run.returncode == status
    assert wait_for(lambda: not running(started), seconds=15)


@posix
def test_after_a_killed_run_the_next_one_reads_the_file(dev: Dev) -> None:
    with dev.start("run", str(ROOT / "samples/photo.jpg")) as run:
        read_until(run.stderr, "reading")
        run.kill()
        run.communicate(timeout=30)

    assert dev.read(ROOT / "samples/photo.jpg")["photo.jpg"]["status"] == "succeeded"
