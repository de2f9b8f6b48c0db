"""What the page costs in requests, data and memory, and how well its boxes fit. `dev.py bench page` measures times."""

from playwright.sync_api import Browser, expect

from bench.page import TURN, megabytes
from tests.browser.conftest import Open, image_shown, painted
from tests.web.fake_api import Document, FakeApi, drawn, page_of, words

FITS = """async () => {
  const image = document.getElementById('scan'), canvas = document.getElementById('boxes');
  const ratio = devicePixelRatio, frame = canvas.getBoundingClientRect(), sheet = image.getBoundingClientRect();
  const copy = new OffscreenCanvas(canvas.width, canvas.height), context = copy.getContext('2d');
  const left = (sheet.left - frame.left) * ratio, top = (sheet.top - frame.top) * ratio;
  context.drawImage(image, left, top, sheet.width * ratio, sheet.height * ratio);
  const paper = context.getImageData(0, 0, copy.width, copy.height).data;
  const boxes = canvas.getContext('2d').getImageData(0, 0, copy.width, copy.height).data;
  let both = 0, either = 0;
  for (let i = 0; i < paper.length; i += 4) {
    const ink = paper[i + 3] > 128 && Math.min(paper[i], paper[i + 1], paper[i + 2]) < 128, box = boxes[i + 3] > 40;
    both += ink && box;
    either += ink || box;
  }
  return both / either;
}"""
"""The IoU (intersection over union) of the ink of the image and what the canvas covers."""

TURNS = {
    "pixels": ((1000, 1414), "pixel", 0.0),
    "inches": ((8.5, 11), "inch", 0.0),
    "15° clockwise": ((1000, 1414), "pixel", 15.0),
    "15° counter-clockwise": ((8.5, 11), "inch", -15.0),
    "a quarter turn": ((1000, 1000), "pixel", 90.0),
    "upside down": ((1000, 1414), "pixel", 180.0),
}
"""Pages: size, unit, and the angle of the text."""


def test_boxes_fit_the_words(api: FakeApi, open_page: Open) -> None:
    lines = [words("each word is where"), words("its box says"), words("it is")]
    for name, (size, unit, angle) in TURNS.items():
        page_json = page_of(lines, size=size, unit=unit, angle=angle, top=0.38, step=0.08, height=0.035)
        api.documents[name] = Document(
            name,
            page=lambda _, page=page_json: page,  # type: ignore[misc]  # bound to this round's
            draw=lambda _, width, page=page_json: drawn(page, width, solid=True),  # type: ignore[misc]  # likewise
        )
    page = open_page("#name=pixels", device_scale_factor=2, viewport={"width": 1000, "height": 800})
    image_shown(page)
    page.locator("#threshold").fill("100")
    page.click('[data-do="boxes"]')
    fits = {}
    for name in TURNS:
        page.evaluate("name => { location.hash = new URLSearchParams({name}); }", name)
        expect(page.locator("#doc-name")).to_have_text(name)
        image_shown(page)
        painted(page)
        fits[name] = page.evaluate(FITS)
    assert {name: fit for name, fit in fits.items() if fit < 0.9} == {}


def test_page_1500_of_2000_opens_with_few_requests_and_little_data(api: FakeApi, open_page: Open) -> None:
    page = open_page("#name=book.pdf&page=1500")
    expect(page.locator("#text p").first).to_have_text("Page 1500 of a long book")
    image_shown(page)
    page.wait_for_timeout(300)
    data = [size for _, route, size in api.requests if route != "page-image"]
    assert len(data) <= 4
    assert sum(data) <= 300_000


def test_paging_through_100_pages_leaves_at_most_a_third_of_the_memory_allowed_for_300(
    browser: Browser, api: FakeApi, open_page: Open
) -> None:
    sheet = drawn(page_of([words("a page")]), 960)
    api.documents["book.pdf"].draw = lambda _number, _width: sheet
    page = open_page("#name=book.pdf", viewport={"width": 900, "height": 400})
    image_shown(page)
    page.evaluate(TURN, 10)
    before = megabytes(browser, page)
    page.evaluate(TURN, 100)
    expect(page.locator("#text p").first).to_have_text("Page 111 of a long book")
    assert megabytes(browser, page) - before <= 50


FOLLOWED = """async () => {
  const stage = document.getElementById('stage'), sheet = document.getElementById('sheet').getBoundingClientRect();
  const drawing = CanvasRenderingContext2D.prototype, lit = new Set();
  const most = {calls: 0, pixels: 0, changes: 0};
  let calls = 0, pixels = 0, changes = 0;
  for (const name of ['moveTo', 'lineTo', 'fill', 'stroke', 'fillText', 'clearRect', 'drawImage']) {
    const real = drawing[name];
    drawing[name] = function (...given) {
      calls += 1;
      if (name === 'clearRect') pixels += given[2] * given[3];
      return real.apply(this, given);
    };
  }
  const observer = new MutationObserver(() => {});
  observer.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
  for (let i = 0; i < 60; i += 1) {
    const clientX = sheet.left + sheet.width * (0.1 + 0.5 * ((i * 37) % 100) / 100);
    const clientY = sheet.top + sheet.height * (0.02 + 0.5 * ((i * 61) % 100) / 100);
    stage.dispatchEvent(new PointerEvent('pointermove', {clientX, clientY, bubbles: true, pointerType: 'mouse'}));
    changes = observer.takeRecords().length;
    most.calls = Math.max(most.calls, calls);
    most.pixels = Math.max(most.pixels, pixels);
    most.changes = Math.max(most.changes, changes);
    calls = pixels = 0;
    lit.add(document.getElementById('readout').textContent);
  }
  return {lit: lit.size, ...most};
}"""
"""The most that one move of the pointer may cost: canvas calls, pixels cleared, changes of the DOM."""


def test_following_the_pointer_stays_cheap_on_a_page_of_5000_words(open_page: Open) -> None:
    page = open_page("#name=dense.pdf")
    image_shown(page)
    painted(page)
    most = page.evaluate(FOLLOWED)
    assert most["lit"] > 30
    assert most["calls"] <= 24  # two boxes of four corners, filled and stroked, over the old lit area
    assert most["pixels"] <= 1280 * 860 / 20
    assert most["changes"] <= 8
