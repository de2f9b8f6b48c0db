"""The decoding process: each line on standard input is a request, and each is answered on standard output.

    python -m local.read_emulator.decoder FOLDER

A request is a JSON object: `do` is `describe`, `page`, `searchable` or `close`; `path`, `limits` and `page_tree`
name the document; the rest are arguments of the method of documents.Document. An answer is a line of JSON, followed by
`bytes` bytes if it says so. A request may take CPU_SECONDS, and the process MEMORY bytes, if the system has such
limits (Windows has none, and macOS ignores the one on memory); decoders.py also limits the time, on every system. The
last document stays open, so that its pages need not be found again. When standard input ends, the process ends and
removes FOLDER, the documents of its parent.
"""

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO, cast

from local.read_emulator.documents import Document, Limits
from local.read_emulator.opening import open_document
from local.read_emulator.refusals import Rejected, Unreadable

CPU_SECONDS = {"describe": 3, "page": 20, "searchable": 60, "close": 1}
"""The POST waits for a description, perhaps for two of them (decoders.py): one of 2,000 pages takes less than a second.
"""
MEMORY = 3 * 1024**3


def main() -> None:
    """Answer until standard input ends."""
    os.environ["OMP_NUM_THREADS"] = "1"
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # so that output of libraries does not mix in
    _limit_memory()
    decoder = Decoder()
    for line in sys.stdin.buffer:
        request = json.loads(line)
        _limit_time(CPU_SECONDS[request["do"]])
        started = time.process_time()
        answer, content = decoder.answer(request)
        answer |= {"seconds": time.process_time() - started, "bytes": len(content)}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.write(content)
        answers.flush()
    shutil.rmtree(sys.argv[1], ignore_errors=True)


class Decoder:
    """Answers requests about one document after another."""

    def __init__(self) -> None:
        self._which: object = None
        self._document: Document | None = None
        self._file: BinaryIO | None = None

    def answer(self, request: dict[str, Any]) -> tuple[dict[str, Any], memoryview]:
        """Carry out the request; returns a JSON object, and bytes."""
        nothing = memoryview(b"")
        try:
            match request["do"]:
                case "close":
                    self._close()
                    return {}, nothing
                case "describe":
                    document = self._open(request)
                    return {"page_count": document.page_count, "unit": document.unit}, nothing
                case "searchable":
                    content = self._open(request).searchable(request["texts"], request["numbers"])
                    return {}, memoryview(content)
            image = self._open(request).page(request["number"])
        except Rejected as refusal:
            self._close()
            return {"rejected": refusal.reason.name, "subject": refusal.subject}, nothing
        except Unreadable as reason:
            return {"unreadable": str(reason), "size": reason.size}, nothing
        described = {name: value for name, value in _fields(image).items() if name != "pixels"}
        return described | {"shape": image.pixels.shape}, memoryview(cast(Any, image.pixels)).cast("B")

    def _open(self, request: dict[str, Any]) -> Document:
        which = request["path"], request["limits"], request["page_tree"]
        if self._document is None or which != self._which:
            self._close()
            self._file = Path(request["path"]).open("rb")  # noqa: SIM115 - stays open between requests
            self._document = open_document(self._file, Limits(**request["limits"]), page_tree=request["page_tree"])
            self._which = which
        return self._document

    def _close(self) -> None:
        self._document = None
        if self._file:
            self._file.close()
        self._file = None


def _fields(image: Any) -> dict[str, Any]:
    return {name: getattr(image, name) for name in image.__slots__}


def _limit_memory() -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _limit_time(seconds: int) -> None:
    if sys.platform != "win32":
        import resource

        limit = int(time.process_time()) + 1 + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
