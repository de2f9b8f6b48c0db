"""Accessibility: the page works by keyboard alone, and axe finds no fault in any of its states."""

from collections.abc import Callable
from importlib.resources import files
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import DESK, Open
from tests.browser.test_page import HARBOUR, drop, place, png
from tests.web.fake_api import FakeApi

Scheme = Literal["light", "dark"]
Looks = list[tuple[Scheme, bool]]
"""Each colour scheme, and whether it is shown on a phone."""

PHONE: ViewportSize = {"width": 390, "height": 800}
AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules of axe that depend on the colour scheme."""
FOUND = """async (rules) => (
  await axe.run({resultTypes: ['violations'], ...(rules ? {runOnly: rules} : {})})
).violations.map(
  ({id, help, nodes}) => `${id}: ${help}: ${nodes.map((node) => node.html + ' ' + node.failureSummary).join('; ')}`)"""


def at_list(page: Page, _: FakeApi) -> None:
    expect(page.locator("#rows .row").first).to_be_visible()


def at_text(page: Page, _: FakeApi) -> None:
    expect(page.locator("#text p").first).to_be_visible()


def at_state(page: Page, _: FakeApi) -> None:
    expect(page.locator("#state h2")).to_be_visible()


def at_empty(page: Page, _: FakeApi) -> None:
    page.fill("#prefix", "nothing")
    expect(page.locator("#empty")).to_be_visible()


def at_added(page: Page, _: FakeApi) -> None:
    drop(page, png("a.png"), png("b.png", "FAIL"))
    expect(page.locator("#added-summary")).to_have_text("1 of 2 read, 1 failed")


def at_taken(page: Page, _: FakeApi) -> None:
    at_list(page, _)
    drop(page, png("book.pdf"))
    expect(page.locator("#ask-dialog")).to_be_visible()


def at_wrong_url(page: Page, _: FakeApi) -> None:
    page.fill("#url", "nonsense")
    page.press("#url", "Enter")
    expect(page.locator("#url-error")).to_be_visible()


def at_key(page: Page, api: FakeApi) -> None:
    api.key = "another"
    page.reload()
    page.fill("#key", "wrong")
    page.press("#key", "Enter")
    expect(page.locator("#key-error")).not_to_be_empty()


def at_sign_in(page: Page, api: FakeApi) -> None:
    api.sign_in = "app"
    page.reload()
    expect(page.locator("#sign-in-dialog")).to_be_visible()


def at_offline(page: Page, api: FakeApi) -> None:
    api.offline = True
    page.reload()
    expect(page.locator("#banner")).to_be_visible()


def at_check(page: Page, _: FakeApi) -> None:
    page.click("text=Check the set-up")
    expect(page.locator("#checks li")).to_have_count(2)


def at_keys(page: Page, _: FakeApi) -> None:
    at_text(page, _)
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()


def at_menu(page: Page, _: FakeApi) -> None:
    at_text(page, _)
    page.click('[aria-label="More actions"]')
    expect(page.locator("#more")).to_be_visible()


def at_word(page: Page, _: FakeApi) -> None:
    at_text(page, _)
    page.locator("#text p").nth(3).focus()
    page.keyboard.press("ArrowRight")


def at_hits(page: Page, _: FakeApi) -> None:
    page.click("#tab-hits")
    expect(page.locator("#hits button").first).to_be_visible()


def at_json(page: Page, _: FakeApi) -> None:
    page.click("#tab-json")
    expect(page.locator("#json")).not_to_be_empty()


def at_details(page: Page, _: FakeApi) -> None:
    page.click("#tab-details")
    expect(page.locator("#details dt").first).to_be_visible()


def at_image(page: Page, _: FakeApi) -> None:
    page.click("#tab-image")
    expect(page.locator("#stage")).to_be_visible()


STATES: list[tuple[str, str, Callable[[Page, FakeApi], None], Looks]] = [
    ("list", "", at_list, [("light", False), ("dark", False), ("dark", True)]),
    ("nothing", "", at_empty, [("light", False)]),
    ("added", "", at_added, [("light", False), ("dark", True)]),
    ("name taken", "", at_taken, [("dark", False)]),
    ("wrong url", "", at_wrong_url, [("light", False), ("dark", False)]),
    ("key", "", at_key, [("light", False), ("dark", False)]),
    ("sign-in", "", at_sign_in, [("light", False), ("dark", True)]),
    ("offline", "", at_offline, [("light", False), ("dark", False)]),
    ("check", "", at_check, [("light", False), ("dark", False)]),
    ("text", HARBOUR, at_word, [("light", False), ("dark", False), ("light", True)]),
    ("white sheet", "#name=arabic.pdf", at_text, [("light", False), ("dark", False)]),
    ("no confidence", "#name=no-confidence.tif", at_text, [("light", False)]),
    ("menu", HARBOUR, at_menu, [("light", False), ("dark", True)]),
    ("keyboard help", HARBOUR, at_keys, [("light", False)]),
    ("hits", f"{HARBOUR}&q=quay", at_hits, [("light", False), ("dark", False)]),
    ("json", HARBOUR, at_json, [("light", False), ("dark", True)]),
    ("details", HARBOUR, at_details, [("light", False)]),
    ("image on a phone", HARBOUR, at_image, [("light", True)]),
    ("failed", "#name=broken.pdf", at_state, [("light", False), ("dark", False)]),
    ("waiting", "#name=later.pdf", at_state, [("light", False)]),
    ("being read", "#name=being-read.pdf", at_state, [("dark", False)]),
    ("left alone", "#name=notes.docx", at_state, [("light", False)]),
    ("nowhere", "#name=nowhere.pdf", at_state, [("light", False)]),
]


@pytest.mark.parametrize(
    ("address", "reach", "looks"), [state[1:] for state in STATES], ids=[state[0] for state in STATES]
)
def test_axe_finds_nothing(
    api: FakeApi,
    open_page: Open,
    address: str,
    reach: Callable[[Page, FakeApi], None],
    looks: list[tuple[Scheme, bool]],
) -> None:
    phone_first = looks[0][1]
    page = open_page(address, viewport=PHONE if phone_first else DESK, reduced_motion="reduce")
    reach(page, api)
    page.evaluate(AXE)
    sizes_seen: set[bool] = set()
    for scheme, phone in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size(PHONE if phone else DESK)
        assert page.evaluate(FOUND, OF_COLOURS if phone in sizes_seen else None) == []
        sizes_seen.add(phone)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than its window"


def test_everything_can_be_done_by_keyboard(open_page: Open) -> None:
    page = open_page("#prefix=invoices")
    expect(page.locator("#rows .row")).to_have_count(1)
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#rows a')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#doc-name")).to_be_focused()
    expect(page.locator("#text p").first).to_be_visible()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#text p')"):
            break
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#text p.on")).to_have_text("Date: 17 November 2026")
    expect(page.locator("#text p").nth(3)).to_be_focused()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#readout")).to_have_text("“November” · 62 % sure · line 4")
    expect(page.locator("#announce")).to_have_text("November, 62 % sure")
    page.keyboard.press("End")
    expect(page.locator("#text p").last).to_be_focused()
    page.keyboard.press("+")
    page.keyboard.press("b")
    expect(page.locator('[data-do="boxes"]')).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("?")
    expect(page.locator("#keys-dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-dialog")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#library")).to_be_visible()
    assert place(page) == {"prefix": "invoices"}


def test_arrow_keys_move_through_the_list(open_page: Open) -> None:
    page = open_page()
    page.locator("#rows a").first.focus()
    for _ in range(12):
        page.keyboard.press("ArrowDown")
    focused = page.locator("#rows li:focus-within")
    expect(focused).to_have_attribute("aria-posinset", "13")
    expect(focused).to_be_in_viewport()


def test_arrow_keys_move_from_the_last_line_of_a_page_to_the_next_page(open_page: Open) -> None:
    page = open_page("#name=book.pdf&page=7")
    expect(page.locator("#text p").first).to_have_text("Page 7 of a long book")
    page.locator("#text p").last.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#text p").first).to_have_text("Page 8 of a long book")
    expect(page.locator("#text p").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(page.locator("#text p").first).to_have_text("Page 7 of a long book")
    expect(page.locator("#text p").last).to_be_focused()


def test_single_letter_keys_can_be_turned_off(open_page: Open) -> None:
    page = open_page(HARBOUR)
    expect(page.locator("#text p").first).to_be_visible()
    page.keyboard.press("?")
    page.uncheck("#letters")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.locator("#text p.on")).to_have_count(0)


def test_nothing_moves_if_the_system_asks_for_reduced_motion(open_page: Open) -> None:
    page = open_page("#name=being-read.pdf", reduced_motion="reduce")
    expect(page.locator("#state .now")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0
