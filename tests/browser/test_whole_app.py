"""The page over the whole app: function_app.py in the Functions emulator, Azurite, and a Read with known results."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image
from playwright.sync_api import Page, expect

from local.browsers import allow_pages
from local.functions_emulator.keys import FUNCTION_KEY
from local.processes import Azurite, FunctionsEmulator
from simulation.app import App, Clock, environment_of, settings_for
from simulation.read_server import ReadServer, as_json, result_of
from tests.browser.conftest import Open, image_shown, painted
from tests.browser.test_figures import FITS
from tests.support.pages import DrawnPage, PdfPage, pdf_of, picture_of, turned, words_of

HOSTILE_NAME = "<img src=x onerror='window.hacked=1'> ./#1?&%2F+'=;~.png."
HOSTILE_TEXT = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


class Whole:
    """The hosted app. ``app`` is the same app in this process, for looking into storage."""

    def __init__(self, url: str, app: App, read: ReadServer) -> None:
        self.url = f"{url}/api/"
        self.app = app
        self.read = read


@pytest.fixture(scope="module")
def whole(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    storage = azurite.connection_string
    with ReadServer() as read:
        chosen = settings_for(storage, read.endpoint)
        app = App(chosen, Clock())
        app.create_inbox()
        logs: Path = tmp_path_factory.mktemp("logs")
        with FunctionsEmulator(settings=environment_of(chosen), logs=logs) as emulator:
            allow_pages(storage, [emulator.url])
            yield Whole(emulator.url, app, read)


@pytest.fixture
def opened(whole: Whole, open_page: Open) -> Open:
    """Open the page of the whole app with its key."""

    def opened(address: str = "", /, **options: object) -> Page:
        page = open_page(address, base=whole.url, **options)
        page.fill("#key", FUNCTION_KEY)
        page.keyboard.press("Enter")
        expect(page.locator("#key-dialog")).to_be_hidden()
        return page

    return opened


# Pages with words at known positions


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    body = io.BytesIO()
    image.save(body, kind, **options)
    return body.getvalue()


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif


def _read_of(page: DrawnPage, number: int, unit: str, angle: float = 0.0) -> dict[str, Any]:
    """A page as v3.2 answers it, with one line for each word."""
    boxes = [[round(value, 4) for value in quad] for quad in page.words]
    lines = [
        {
            "text": f"word {at}",
            "boundingBox": box,
            "words": [{"text": f"word {at}", "boundingBox": box, "confidence": 0.9}],
        }
        for at, box in enumerate(boxes, start=1)
    ]
    about = {"page": number, "width": page.width, "height": page.height, "unit": unit, "angle": angle}
    return {**about, "lines": lines}


PDF_PAGES = (
    PdfPage(),
    PdfPage(rotate=90),
    PdfPage(rotate=180, crop=(100, 150, 500, 700)),
    PdfPage(media=(-200, 300, 412, 1092), crop=(-100, 400, 300, 1000), rotate=270),
    PdfPage(media=(0, 0, 61.2, 79.2), user_unit=10, rotate=90),
)
FRAMES = ((500, 700), (900, 400), (600, 600))


def _known() -> dict[str, tuple[bytes, list[dict[str, Any]]]]:
    """Files, and Read's answer for their pages."""
    frames = [picture_of(*size, words_of(*size)) for size in FRAMES]
    upright = picture_of(800, 560, words_of(800, 560))
    lying = upright.transpose(Image.Transpose.ROTATE_90)  # its EXIF orientation says to turn it back
    tilted = turned([tuple(each + 150 for each in quad) for quad in words_of(700, 500)], 15, (500, 400))
    return {
        "every turn.pdf": (
            pdf_of(*PDF_PAGES),
            [_read_of(page.seen(), number, "inch") for number, page in enumerate(PDF_PAGES, start=1)],
        ),
        "frames.tiff": (
            _saved(frames[0], "TIFF", save_all=True, append_images=frames[1:]),
            [
                _read_of(DrawnPage(*size, tuple(words_of(*size))), number, "pixel")
                for number, size in enumerate(FRAMES, start=1)
            ],
        ),
        "photo.jpg": (
            _saved(lying, "JPEG", exif=_exif(6), quality=95, subsampling=0),
            [_read_of(DrawnPage(800, 560, tuple(words_of(800, 560))), 1, "pixel")],
        ),
        "tilted.png": (
            _saved(picture_of(1000, 800, tilted), "PNG"),
            [_read_of(DrawnPage(1000, 800, tuple(tilted)), 1, "pixel", 15.0)],
        ),
    }


def test_dropped_files_are_read_and_every_word_is_where_its_box_says(
    whole: Whole, opened: Open, tmp_path: Path
) -> None:
    known = _known()
    for name, (content, pages) in known.items():
        (tmp_path / name).write_bytes(content)
        whole.read.results[content] = result_of(pages)
    page = opened(device_scale_factor=2)
    page.set_input_files("#files", [tmp_path / name for name in known])
    expect(page.locator("#added-summary")).to_have_text("4 of 4 read")
    for name, (_, pages) in known.items():
        page.locator("#added-rows a", has_text=name).click()
        page.locator("#threshold").fill("100")  # all words are marked, so the canvas covers what their boxes cover
        if page.locator('[data-do="boxes"]').get_attribute("aria-pressed") == "true":
            page.click('[data-do="boxes"]')
        for number in range(1, len(pages) + 1):
            expect(page.locator("#page-number")).to_have_value(str(number))
            image_shown(page, number)
            painted(page)
            assert page.evaluate(FITS) >= 0.9, f"{name}, page {number}"
            if number < len(pages):
                page.click('[data-do="page-next"]')
        page.click("#back")


def test_a_url_is_fetched_by_read_and_not_by_the_app(whole: Whole, opened: Open) -> None:
    page = opened()
    page.fill("#url", "https://example.com/receipt.jpg")
    page.fill("#language", "de")
    page.press("#language", "Enter")
    expect(page.locator("#text p").first).to_have_text('{"url": "https://example.com/receipt.jpg"}')
    expect(page.locator("#stage-note")).to_contain_text("The file is a link")
    submit = next(each for each in whole.read.requests if b"receipt.jpg" in each.body)
    assert json.loads(submit.body) == {"url": "https://example.com/receipt.jpg"}
    assert "language=de" in submit.path


def test_hostile_names_and_texts_stay_plain_text_through_the_whole_app(opened: Open) -> None:
    page = opened()
    page.evaluate(
        """([name, text]) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([text], name, {type: 'image/png'}));
          const event = {dataTransfer: transfer, bubbles: true, cancelable: true};
          document.body.dispatchEvent(new DragEvent('drop', event));
        }""",
        [HOSTILE_NAME, HOSTILE_TEXT],
    )
    expect(page.locator("#text p").first).to_have_text(HOSTILE_TEXT)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download text").click()
    assert Path(download.value.path()).read_text(encoding="utf-8") == f"{HOSTILE_TEXT}\n"
    page.click("#tab-json")
    expect(page.locator("#json")).to_contain_text('"readResults"')
    page.fill("#find", "ONERROR=")
    expect(page.locator("#hits-badge")).to_have_text("1")


def test_a_file_that_read_rejects_shows_advice_and_can_be_read_again(whole: Whole, opened: Open) -> None:
    refusal = {"error": {"code": "InvalidImageSize", "message": "The input image is too large or too small."}}
    whole.read.posts.append(as_json(400, refusal))
    whole.app.drop("refused.png", "in the end it was read")
    page = opened("#name=refused.png")
    expect(page.locator("#state .code")).to_have_text("InvalidImageSize")
    expect(page.locator("#state .advice")).to_contain_text("What helps")
    page.locator("#state").get_by_role("button", name="Read again…").click()
    page.locator("#ask-dialog").get_by_role("button", name="Read again").click()
    expect(page.locator("#text p").first).to_have_text("in the end it was read")


def test_a_change_made_in_another_tab_shows_when_one_comes_back_to_the_page(whole: Whole, opened: Open) -> None:
    whole.app.drop("moving.png", "the first text")
    page = opened("#name=moving.png")
    expect(page.locator("#text p").first).to_have_text("the first text")
    other = opened("#name=moving.png")
    expect(other.locator("#text p").first).to_have_text("the first text")
    other.click('[aria-label="More actions"]')
    with other.expect_file_chooser() as chooser:
        other.locator("#more").get_by_text("Upload again…").click()
    chooser.value.set_files({"name": "mended.png", "mimeType": "image/png", "buffer": b"another text"})
    expect(other.locator("#text p").first).to_have_text("another text")
    page.evaluate(COME_BACK)
    expect(page.locator("#text p").first).to_have_text("another text")
    other.click('[aria-label="More actions"]')
    other.locator("#more").get_by_text("Forget…").click()
    other.locator("#ask-dialog").get_by_role("button", name="Forget").click()
    expect(other.locator("#library")).to_be_visible()
    page.evaluate(COME_BACK)
    expect(page.locator("#state h2")).to_have_text("There is no document with this name")


COME_BACK = "window.dispatchEvent(new Event('focus'))"
