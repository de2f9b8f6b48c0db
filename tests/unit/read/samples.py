"""A small answer of each family, with everything that the family can say."""

from typing import Any

from shared.read.generations import all_generations

VERSIONS = [each.version for each in all_generations()]
BOX = [10, 20, 90, 20, 90, 40, 10, 40]


def answer_of(version: str) -> dict[str, Any]:
    """A succeeded answer that reads "Hello wörld" on page 1 and "2nd" on page 2."""
    if version.startswith("v2"):
        return _recognition_results()
    return _read_results(version) if version.startswith("v3") else _analyze_result(version)


def _recognition_results() -> dict[str, Any]:
    def page(number: int, text: str) -> dict[str, Any]:
        words: list[dict[str, Any]] = [{"boundingBox": BOX, "text": word} for word in text.split()]
        words[0]["confidence"] = "Low"
        line = {"boundingBox": BOX, "text": text, "words": words}
        about = {"page": number, "clockwiseOrientation": 349.5, "width": 800, "height": 600, "unit": "pixel"}
        return {**about, "lines": [line]}

    return {"status": "Succeeded", "recognitionResults": [page(1, "Hello wörld"), page(2, "2nd")]}


def _read_results(version: str) -> dict[str, Any]:
    def page(number: int, text: str) -> dict[str, Any]:
        words = [{"boundingBox": BOX, "text": word, "confidence": 0.5} for word in text.split()]
        line: dict[str, Any] = {"boundingBox": BOX, "text": text, "words": words}
        if version == "v3.2":
            line["appearance"] = {"style": {"name": "handwriting", "confidence": 0.9}}
        if version == "v3.1-preview.2":
            line["appearance"] = {"style": "handwriting", "styleConfidence": 0.9}
        about = {"page": number, "language": "en", "angle": -10.5, "width": 800, "height": 600, "unit": "pixel"}
        return {**about, "lines": [line]}

    result = {"version": "3.0.0", "readResults": [page(1, "Hello wörld"), page(2, "2nd")]}
    if version == "v3.2":
        result["modelVersion"] = "2022-04-30"
    return {
        "status": "succeeded",
        "createdDateTime": "2026-11-22T12:00:00Z",
        "lastUpdatedDateTime": "2026-11-22T12:00:01Z",
        "analyzeResult": result,
    }


def _analyze_result(version: str) -> dict[str, Any]:
    def word(text: str, offset: int) -> dict[str, Any]:
        span = {"offset": offset, "length": len(text)}
        return {"content": text, "polygon": BOX, "confidence": 0.5, "span": span}

    def page(number: int, text: str, offset: int, words: list[dict[str, Any]]) -> dict[str, Any]:
        spans = [{"offset": offset, "length": len(text)}]
        about = {"pageNumber": number, "angle": -10.5, "width": 800, "height": 600, "unit": "pixel", "spans": spans}
        return {**about, "words": words, "lines": [{"content": text, "polygon": BOX, "spans": spans}]}

    everything = [{"offset": 0, "length": 15}]
    return {
        "status": "succeeded",
        "createdDateTime": "2026-11-22T12:00:00Z",
        "lastUpdatedDateTime": "2026-11-22T12:00:01Z",
        "analyzeResult": {
            "apiVersion": version,
            "modelId": "prebuilt-read",
            "stringIndexType": "textElements",
            "content": "Hello wörld\n2nd",
            "pages": [
                page(1, "Hello wörld", 0, [word("Hello", 0), word("wörld", 6)]),
                page(2, "2nd", 12, [word("2nd", 12)]),
            ],
            "paragraphs": [{"content": "Hello wörld 2nd", "spans": everything}],
            "styles": [{"isHandwritten": True, "confidence": 0.9, "spans": everything}],
            "languages": [{"locale": "en", "confidence": 0.9, "spans": everything}],
        },
    }
