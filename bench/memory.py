"""How much the peak of resident memory grows: while a large file is submitted, and while large results are stored.

    python -m bench.memory [--json]

Each figure comes from a process of its own, that has read a small document before: what is measured is growth, not
start-up. Storage is a real Azurite; Read is a server in yet another process, which makes up what it answers as it goes.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from azure.storage.blob import BlobServiceClient

from local.services import Azurite

LINES_A_PAGE = 50
WORDS = ["Lorem", "ipsum", "dolor", "sit", "amet", "consetetur", "sadipscing", "elitr"]
VERSIONS = ("v3.2", "2024-11-30")
LARGE = "large"
FILE_BYTES = 500 * 1000 * 1000


def read_result(pages: int) -> Iterator[bytes]:
    """A succeeded v3.2 answer of so many pages, a page at a time; 60 KB each."""
    yield b'{"status":"succeeded","analyzeResult":{"version":"3.2.0","modelVersion":"2022-04-30","readResults":['
    line = {"text": " ".join(WORDS), "boundingBox": _box(), "words": [_word(word, "text") for word in WORDS]}
    lines = _json([line] * LINES_A_PAGE)
    for number in range(1, pages + 1):
        about = f'{{"page":{number},"angle":0.5,"width":8.5,"height":11,"unit":"inch","lines":'
        yield ("," if number > 1 else "").encode() + about.encode() + lines + b"}"
    yield b"]}}"


def analyze_result(pages: int) -> Iterator[bytes]:
    """The same of Document Intelligence 2024-11-30: words by spans, and styles and languages behind all pages."""
    text = " ".join(WORDS)
    length = len(text) + 1
    yield b'{"status":"succeeded","analyzeResult":{"apiVersion":"2024-11-30","stringIndexType":"textElements",'
    yield b'"content":"'
    for _ in range(pages):
        yield f"{text}\\n".encode() * LINES_A_PAGE
    yield b'","pages":['
    for number in range(1, pages + 1):
        words, lines = [], []
        for line in range(LINES_A_PAGE):
            offset = ((number - 1) * LINES_A_PAGE + line) * length
            lines.append({"content": text, "polygon": _box(), "spans": [{"offset": offset, "length": length - 1}]})
            for word in WORDS:
                words.append({**_word(word, "content"), "span": {"offset": offset, "length": len(word)}})
                offset += len(word) + 1
        page = {"pageNumber": number, "width": 8.5, "height": 11, "unit": "inch", "words": words, "lines": lines}
        yield (b"," if number > 1 else b"") + _json(page)
    yield b'],"styles":[],"languages":['
    for line in range(pages * LINES_A_PAGE):
        span = [{"offset": line * length, "length": length - 1}]
        yield (b"," if line else b"") + _json({"locale": "la", "confidence": 0.9, "spans": span})
    yield b"]}}"


def _box() -> list[float]:
    return [round(random.uniform(0, 8.5), 4) for _ in range(8)]  # noqa: S311 - numbers as long as Read's


def _word(text: str, field: str) -> dict[str, Any]:
    return {field: text, "boundingBox" if field == "text" else "polygon": _box(), "confidence": 0.991}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Read(BaseHTTPRequestHandler):
    """Takes in everything; an operation's name is the number of pages that it reads."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """It is not told."""

    def do_POST(self) -> None:
        """Count a file's bytes and forget them; its first ones are the number of pages."""
        left = int(self.headers["Content-Length"])
        start = self.rfile.read(min(left, 16))
        left -= len(start)
        while left:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        pages = int(start.split(b" ")[0])
        path = self.path.split("?")[0]
        path = path.replace("/read/analyze", "/read/analyzeResults").replace(":analyze", "/analyzeResults")
        self.send_response(202)
        self.send_header("Operation-Location", f"http://read{path}/{pages}")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """Answer with the result."""
        make = read_result if "/vision/" in self.path else analyze_result
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in make(int(self.path.split("?")[0].rsplit("/", 1)[-1])):
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")


def serve() -> None:
    """Be the Read server: print the port, and answer until standard input closes."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Read)
    print(server.server_address[1], flush=True)
    from threading import Thread

    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


def peak() -> float:
    """The peak of this process's resident memory so far, in MB (10^6 bytes).

    Linux hands the parent's own peak on to a process's ``ru_maxrss``; VmHWM begins with the program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="ascii").split("VmHWM:")[1].split()[0]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def growth(action: Callable[[], object]) -> dict[str, float]:
    """Do it, and say what it cost."""
    before, started = peak(), time.perf_counter()
    action()
    return {"growth": round(peak() - before, 1), "seconds": round(time.perf_counter() - started, 1)}


def measure(what: str, storage: str, endpoint: str, version: str, pages: int) -> dict[str, float]:
    """One figure, in this process."""
    import requests

    from shared.document import Status
    from tests.support.app import App, Clock, settings_for

    inbox = {"INPUT_CONTAINER": LARGE} if what == "submit" else {}
    app = App(settings_for(storage, endpoint, READ_API_VERSION=version, **inbox), Clock())
    if not inbox:
        app.create_inbox()
    app.read("small.pdf", "1 page")
    if what == "naive":
        path = "/vision/v3.2/read/analyzeResults/" if version == "v3.2" else "/documentintelligence/x/"
        return growth(lambda: requests.get(f"{endpoint}{path}{pages}", timeout=600).json())
    if what == "submit":
        told = growth(lambda: app.event(LARGE))
        if app.document(LARGE).status != Status.READING:
            raise SystemExit("The large file was not taken.")
        return told
    app.drop("large.pdf", f"{pages} pages")
    app.event("large.pdf")
    told = growth(app.run)
    if app.document("large.pdf").line_count != pages * LINES_A_PAGE:
        raise SystemExit("The large result was not stored.")
    return told


def _file() -> Iterator[bytes]:
    block = b"1 page%PDF " + bytes(1_000_000 - 11)
    return (block for _ in range(FILE_BYTES // len(block)))


def main() -> None:
    """Measure everything, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--only", nargs=5, help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    if options.only:
        what, storage, endpoint, version, pages = options.only
        print(json.dumps(measure(what, storage, endpoint, version, int(pages))))
        return
    most, tenth = options.pages, options.pages // 10
    server = subprocess.Popen(
        [sys.executable, "-m", "bench.memory", "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with server, TemporaryDirectory() as logs, Azurite(logs=Path(logs)) as azurite:
        endpoint = f"http://127.0.0.1:{server.stdout.readline().strip()}"  # type: ignore[union-attr]  # it is a pipe
        files = BlobServiceClient.from_connection_string(azurite.connection_string).create_container(LARGE)
        files.upload_blob(LARGE, _file(), length=FILE_BYTES)

        def figure(what: str, version: str, pages: int) -> dict[str, float]:
            only = [what, azurite.connection_string, endpoint, version, str(pages)]
            command = [sys.executable, "-m", "bench.memory", "--only", *only]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
            return dict(json.loads(told.stdout.splitlines()[-1]))

        def tell(name: str, value: float, goal: float | None) -> None:
            met = None if goal is None else value <= goal
            if options.json:
                print(json.dumps({"name": name, "value": value, "unit": "MB", "goal": goal, "met": met}), flush=True)
            else:
                print(f"{name:<62}{value:8.1f} MB" + (f"  (goal: at most {goal:.0f})" if goal else ""), flush=True)

        tell("Submitting a file of 500 MB", figure("submit", "v3.2", 1)["growth"], 32)
        for version in VERSIONS:
            small = figure("store", version, tenth)["growth"]
            large = figure("store", version, most)
            tell(f"Storing {tenth} pages, {version}", small, None)
            tell(f"Storing {most} pages, {version} ({large['seconds']:.0f} s)", large["growth"], 48)
            tell(f"  beyond what a tenth takes, {version}", round(large["growth"] - small, 1), 8)
            tell(f"json.loads of {most} pages, {version}", figure("naive", version, most)["growth"], None)
        server.stdin.close()  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
