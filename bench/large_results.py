"""A Read service that accepts files of any size, and generates results of any size while sending them.

python -m bench.large_results       prints its port, and serves until standard input closes
"""

import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread
from typing import Any

LINES_A_PAGE = 50
WORDS = ["Lorem", "ipsum", "dolor", "sit", "amet", "consetetur", "sadipscing", "elitr"]


def read_result(pages: int) -> Iterator[bytes]:
    """A succeeded v3.2 answer of this many pages, one page at a time; each has 60 KB."""
    yield b'{"status":"succeeded","analyzeResult":{"version":"3.2.0","modelVersion":"2022-04-30","readResults":['
    box = _boxes()
    words = [{"text": word, "boundingBox": next(box), "confidence": 0.991} for word in WORDS]
    lines = _json([{"text": " ".join(WORDS), "boundingBox": next(box), "words": words}] * LINES_A_PAGE)
    for number in range(1, pages + 1):
        about = f'{{"page":{number},"angle":0.5,"width":8.5,"height":11,"unit":"inch","lines":'
        yield ("," if number > 1 else "").encode() + about.encode() + lines + b"}"
    yield b"]}}"


def analyze_result(pages: int) -> Iterator[bytes]:
    """The same as Document Intelligence 2024-11-30: words by spans, styles and languages after all pages."""
    box = _boxes()
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
            lines.append({"content": text, "polygon": next(box), "spans": [{"offset": offset, "length": length - 1}]})
            for word in WORDS:
                span = {"offset": offset, "length": len(word)}
                words.append({"content": word, "polygon": next(box), "confidence": 0.991, "span": span})
                offset += len(word) + 1
        page = {"pageNumber": number, "width": 8.5, "height": 11, "unit": "inch", "words": words, "lines": lines}
        yield (b"," if number > 1 else b"") + _json(page)
    yield b'],"styles":[],"languages":['
    for line in range(pages * LINES_A_PAGE):
        spans = [{"offset": line * length, "length": length - 1}]
        yield (b"," if line else b"") + _json({"locale": "la", "confidence": 0.9, "spans": spans})
    yield b"]}}"


def _boxes() -> Iterator[list[float]]:
    """Numbers as long as Read's."""
    random = Random(1)  # noqa: S311 - the same in every run
    while True:
        yield [round(random.uniform(0, 8.5), 4) for _ in range(8)]


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class _Read(BaseHTTPRequestHandler):
    """Accepts everything. The name of an operation is the number of its pages."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Nothing is logged."""

    def do_POST(self) -> None:
        """Count a file's bytes and discard them. The first ones are the number of pages."""
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


def main() -> None:
    """Serve."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Read)
    print(server.server_address[1], flush=True)
    Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
