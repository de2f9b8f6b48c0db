"""The page in a real browser: what people do with it, and what can go wrong."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, image_shown, until
from tests.web.fake_api import HOSTILE, HOSTILE_NAMES, ApiError, Document, FakeApi, book_page

HARBOUR = "#name=invoices%2F2026%2Fharbour.png"
TRANSFER = """([files, kind]) => {
  const transfer = new DataTransfer();
  for (const [name, text, type] of files) transfer.items.add(new File([text], name, {type}));
  const event = kind === 'paste'
    ? new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true, cancelable: true})
    : new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true});
  document.body.dispatchEvent(event);
}"""


def drop(page: Page, *files: tuple[str, str, str], kind: str = "drop") -> None:
    """Drop or paste files with these names, contents and types."""
    page.evaluate(TRANSFER, [files, kind])


def png(name: str, text: str = "picture") -> tuple[str, str, str]:
    return name, text, "image/png"


def lines(page: Page) -> Sequence[str]:
    return page.locator("#text p").all_inner_texts()


def place(page: Page) -> dict[str, str]:
    """The parts of the page's address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).fragment).items()}


# Adding


def test_a_dropped_photo_is_watched_from_its_upload_to_its_text(api: FakeApi, open_page: Open) -> None:
    api.read_takes = 3600
    page = open_page()
    expect(page.locator("#rows .row").first).to_be_visible()
    drop(page, png("desk/photo.png".rpartition("/")[2]))
    expect(page.locator("#doc-name")).to_have_text("photo.png")
    expect(page.locator("#state .now")).to_have_text("Being read")
    api.documents["photo.png"].ready_at = 0
    expect(page.locator("#text p").first).to_have_text("Harbour & Sons Ltd.")
    expect(page.locator("#doc-status")).to_be_hidden()
    assert api.documents["photo.png"].content == b"picture"


def test_a_document_is_polled_twice_a_second_and_its_text_shown_two_requests_later(
    api: FakeApi, open_page: Open
) -> None:
    api.read_takes = 3600
    page = open_page()
    page.clock.install()
    page.reload()
    drop(page, png("photo.png"))
    expect(page.locator("#state .now")).to_have_text("Being read")
    api.documents["photo.png"].ready_at = 0
    api.requests.clear()
    page.clock.run_for(500)
    expect(page.locator("#text p").first).to_have_text("Harbour & Sons Ltd.")
    assert [route for _, route, _ in api.requests if route != "page-image"] == ["document", "page"]


def test_many_dropped_files_are_watched_in_the_list(open_page: Open) -> None:
    page = open_page()
    drop(page, *(png(f"scan {number}.png", "FAIL" if number == 3 else "ok") for number in range(7)))
    added = page.locator("#added-rows")
    expect(added.locator("li")).to_have_count(7)
    expect(page.locator("#added-summary")).to_have_text("6 of 7 read, 1 failed")
    expect(added.locator(".is-failed")).to_contain_text("The file is damaged.")
    page.fill("#prefix", "scan 6")
    expect(page.locator("#rows .row")).to_have_count(1)


def test_a_folder_keeps_its_paths(api: FakeApi, open_page: Open, tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    (tmp_path / "in" / "a.png").write_bytes(b"a")
    (tmp_path / "in" / "deep" / "b.png").write_bytes(b"b")
    (tmp_path / "in" / ".DS_Store").write_bytes(b"-")
    page = open_page()
    page.set_input_files("#folder", tmp_path / "in")
    expect(page.locator("#added-summary")).to_have_text("2 of 2 read")
    assert {"in/a.png", "in/deep/b.png"} <= api.documents.keys()
    assert "in/.DS_Store" not in api.documents


def test_the_progress_of_an_upload_is_shown(api: FakeApi, open_page: Open) -> None:
    api.slow_storage = 0.5
    page = open_page()
    drop(page, png("large.png", "x" * 3_000_000))
    bar = page.locator("#state progress")
    expect(bar).to_be_visible()
    expect(page.locator("#doc-status")).to_have_text("Uploading")
    expect(page.locator("#text p").first).to_have_text("Harbour & Sons Ltd.")


def test_a_pasted_picture_is_read_under_a_name_of_its_own(open_page: Open) -> None:
    page = open_page()
    drop(page, png("image.png"), kind="paste")
    expect(page.locator("#text p").first).to_have_text("Harbour & Sons Ltd.")
    assert re.fullmatch(r"Pasted \d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png", place(page)["name"])


def test_a_url_is_read_as_an_internet_shortcut_with_its_language(api: FakeApi, open_page: Open) -> None:
    page = open_page()
    page.fill("#url", "https://example.com/images/read me.png?size=1")
    page.click("text=Read image")
    expect(page.locator("#url-error")).to_be_visible()
    page.fill("#url", "https://example.com/images/receipt.png?size=1")
    page.fill("#language", "en")
    page.press("#language", "Enter")
    expect(page.locator("#text p").last).to_have_text("https://example.com/images/receipt.png?size=1")
    name = place(page)["name"]
    assert name == "example.com receipt.png.url"
    assert api.documents[name].content == b"[InternetShortcut]\r\nURL=https://example.com/images/receipt.png?size=1\r\n"
    assert api.documents[name].metadata == {"language": "en"}


def test_a_pasted_link_is_read_as_a_url(api: FakeApi, open_page: Open) -> None:
    page = open_page()
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.setData('text/plain', ' https://example.com/a.jpg ');
          const event = {clipboardData: transfer, bubbles: true, cancelable: true};
          document.body.dispatchEvent(new ClipboardEvent('paste', event));
        }"""
    )
    expect(page.locator("#text p").last).to_have_text("https://example.com/a.jpg")
    assert api.documents["example.com a.jpg.url"].metadata == {}


@pytest.mark.parametrize("answer", ["Keep both", "Replace"])
def test_the_page_asks_before_it_uses_a_taken_name(api: FakeApi, open_page: Open, answer: str) -> None:
    before = Document("photo.png", page_count=1, page=book_page)
    api.documents["photo.png"] = before
    page = open_page()
    drop(page, png("photo.png"))
    page.get_by_role("button", name=answer).click()
    expect(page.locator("#text p").first).to_have_text("Harbour & Sons Ltd.")
    assert ("photo (2).png" in api.documents) == (answer == "Keep both")
    assert (api.documents["photo.png"] is before) == (answer == "Keep both")


def test_an_expired_upload_link_is_replaced_by_a_new_one(api: FakeApi, open_page: Open) -> None:
    page = open_page()
    expect(page.locator("#rows .row").first).to_be_visible()
    api.expired_links = 1
    drop(page, png("photo.png"))
    expect(page.locator("#text p").first).to_have_text("Harbour & Sons Ltd.")


def test_an_upload_that_storage_refuses_says_so_and_can_be_tried_again(api: FakeApi, open_page: Open) -> None:
    page = open_page()
    expect(page.locator("#rows .row").first).to_be_visible()
    api.cors = False
    drop(page, png("photo.png"))
    expect(page.locator("#state")).to_contain_text("The file was not uploaded")
    expect(page.locator("#state .advice")).to_contain_text("CORS")
    api.cors = True
    page.get_by_role("button", name="Upload again").click()
    expect(page.locator("#text p").first).to_have_text("Harbour & Sons Ltd.")


def test_an_upload_that_the_app_refuses_shows_its_advice(api: FakeApi, open_page: Open) -> None:
    api.upload_error = ApiError(400, "UnsafeName", "The name has a part '..'.", "Rename the file.")
    page = open_page()
    drop(page, png("photo.png"))
    expect(page.locator("#state .lead")).to_have_text("The name has a part '..'.")
    expect(page.locator("#state .advice")).to_contain_text("Rename the file.")


# The list


def test_the_list_is_filtered_by_prefix_and_status(open_page: Open) -> None:
    page = open_page()
    expect(page.locator("#rows .row")).not_to_have_count(0)
    page.fill("#prefix", "invoices/")
    expect(page.locator("#rows .row")).to_have_count(1)
    expect(page.locator("#documents-summary")).to_have_text("1 document")
    assert place(page) == {"prefix": "invoices/"}
    page.fill("#prefix", "")
    page.get_by_role("button", name="Failed 2").click()
    expect(page.locator("#rows .is-failed")).to_have_count(2)
    assert place(page) == {"status": "failed"}
    page.locator("#rows a", has_text="broken.pdf").click()
    expect(page.locator("#doc-name")).to_have_text("broken.pdf")
    page.click("#back")
    expect(page.locator("#rows .row")).to_have_count(2)


def test_an_empty_list_says_so_in_words(api: FakeApi, open_page: Open) -> None:
    api.documents.clear()
    page = open_page()
    expect(page.locator("#empty")).to_contain_text("Nothing has been read yet")
    expect(page.locator("#filters")).to_be_hidden()
    page = open_page("#prefix=x")
    expect(page.locator("#empty")).to_contain_text("No document matches")


def test_a_list_of_ten_thousand_documents_has_few_rows_in_the_dom(api: FakeApi, open_page: Open) -> None:
    for number in range(10_000):
        name = f"archive/{number:05d}.pdf"
        api.documents[name] = Document(name, page_count=3, page=book_page)
    page = open_page("#prefix=archive")
    expect(page.locator("#documents-summary")).to_have_text("10,000 documents")
    last = page.locator("#rows li", has_text="09999.pdf")
    for _ in range(400):
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(50)
        if last.count():
            break
    expect(last).to_be_visible()
    expect(last).to_have_attribute("aria-posinset", "10000")
    assert page.locator("#rows li").count() < 60
    assert page.evaluate("document.querySelectorAll('*').length") < 1500


# A document


def test_the_word_under_the_pointer_is_lit_in_the_image_and_in_the_text(open_page: Open) -> None:
    page = open_page(HARBOUR)
    expect(page.locator("#text p").first).to_be_visible()
    image_shown(page)
    sheet = page.locator("#sheet").bounding_box()
    assert sheet
    page.mouse.move(sheet["x"] + sheet["width"] * 0.12, sheet["y"] + sheet["height"] * 0.09)
    expect(page.locator("#readout")).to_have_text("“Harbour” · 98 % sure · line 1")
    assert page.evaluate("[...CSS.highlights.get('active')].join()") == "Harbour"
    expect(page.locator("#text p.on")).to_have_text("Harbour & Sons Ltd.")
    word = page.evaluate("[...CSS.highlights.get('active')][0].getBoundingClientRect().toJSON()")
    page.mouse.move(word["right"] + 30, word["top"] + 8)
    expect(page.locator("#readout")).to_have_text(re.compile("“Sons”|“&”"))


def test_words_get_no_elements_of_their_own(open_page: Open) -> None:
    page = open_page("#name=dense.pdf")
    expect(page.locator("#text p")).to_have_count(200)
    assert page.locator("#text p *").count() == 0
    assert page.locator("#stage *").count() == 2
    assert page.locator("#pane-image canvas").count() == 2


def test_doubtful_words_are_marked_below_a_threshold_that_moves(open_page: Open) -> None:
    page = open_page(HARBOUR)
    expect(page.locator("#doubt-count")).to_have_text("5 here")
    assert (
        page.evaluate("[...CSS.highlights.get('doubt')].map(String).join(' ')")
        == "November Marlowe Bindery, linen, waxed,"
    )
    page.locator("#threshold").fill("60")
    expect(page.locator("#doubt-count")).to_have_text("2 here")
    page.locator("#doc-name").focus()
    page.keyboard.press("n")
    expect(page.locator("#readout")).to_have_text("“Bindery,” · 44 % sure · line 5")
    page.keyboard.press("n")
    expect(page.locator("#readout")).to_have_text("“waxed,” · 55 % sure · line 8")
    page.keyboard.press("Shift+N")
    expect(page.locator("#readout")).to_have_text("“Bindery,” · 44 % sure · line 5")
    expect(page.locator("#announce")).to_contain_text("Doubtful: Bindery,, 44 % sure")


def test_nothing_is_marked_if_read_gives_no_confidence(open_page: Open) -> None:
    page = open_page("#name=no-confidence.tif")
    expect(page.locator("#doubt-count")).to_have_text("No confidence given")
    expect(page.locator("#threshold")).to_be_disabled()
    assert not page.evaluate("CSS.highlights.has('doubt')")


def test_the_next_doubtful_word_may_be_pages_ahead(open_page: Open) -> None:
    page = open_page("#name=book.pdf&page=4")
    expect(page.locator("#doubt-count")).to_have_text("0 here")
    page.locator("#doc-name").focus()
    page.keyboard.press("n")
    expect(page.locator("#page-number")).to_have_value("6")
    expect(page.locator("#readout")).to_contain_text("“hcrons”")


def test_hits_are_listed_by_page_and_boxed_on_the_image(open_page: Open) -> None:
    page = open_page("#name=book.pdf&page=150")
    expect(page.locator("#text p").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("NEEDLE  haystack")
    expect(page.locator("#hits-badge")).to_have_text("20")
    page.keyboard.press("Enter")
    expect(page.locator("#found")).to_have_text("2 of 20")
    expect(page.locator("#page-number")).to_have_value("200")
    assert place(page) == {"name": "book.pdf", "page": "200", "q": "NEEDLE  haystack"}
    expect(page.locator("#text p").first).to_have_text("Page 200 of a long book")
    assert page.evaluate("[...CSS.highlights.get('hit-now')].join()") == "needle haystack"
    page.keyboard.press("Shift+Enter")
    expect(page.locator("#page-number")).to_have_value("100")
    page.click("#tab-hits")
    expect(page.locator("#hits h2").nth(4)).to_have_text("Page 500 · 1 hit")
    page.locator("#hits button").nth(4).click()
    expect(page.locator("#page-number")).to_have_value("500")


def test_an_address_with_a_query_shows_its_hits(open_page: Open) -> None:
    page = open_page("#name=book.pdf&page=300&q=needle")
    expect(page.locator("#found")).to_have_text("20")
    assert page.evaluate("[...CSS.highlights.get('hit')].join()") == "needle"


def test_finding_works_if_the_page_cannot_read_from_storage(api: FakeApi, open_page: Open) -> None:
    api.cors = False
    page = open_page(HARBOUR + "&q=quay%20street")
    expect(page.locator("#found")).to_have_text("1")


def test_requested_pages_keep_their_numbers(open_page: Open) -> None:
    page = open_page("#name=parts.pdf")
    expect(page.locator("#page-number")).to_have_value("4")
    for number in ("5", "9", "9"):
        page.keyboard.press("PageDown")
        expect(page.locator("#page-number")).to_have_value(number)


def test_text_is_copied_and_downloaded(open_page: Open) -> None:
    page = open_page(HARBOUR, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy text").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").startswith("Harbour & Sons Ltd.\n14 Quay")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download text").click()
    assert Path(download.value.path()).read_text(encoding="utf-8").startswith("Harbour & Sons Ltd.\n")


def test_reads_json_is_shown_unchanged_but_indented(api: FakeApi, open_page: Open) -> None:
    api.expired_links = 4
    page = open_page(HARBOUR)
    page.click("#tab-json")
    expect(page.locator("#json")).to_contain_text('"analyzeResult": {')
    assert json.loads(page.locator("#json").inner_text())["status"] == "succeeded"


def test_a_page_that_cannot_be_drawn_shows_its_words_on_a_white_sheet(open_page: Open) -> None:
    page = open_page("#name=arabic.pdf")
    expect(page.locator("#stage-note")).to_contain_text("cannot be drawn")
    expect(page.locator("#warning")).to_contain_text("Read skipped a part")
    until(
        page,
        """() => {
          const canvas = document.getElementById('boxes');
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          let ink = 0;
          for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200 && data[i] < 60) ink += 1;
          return ink > 300;
        }""",
    )


def test_a_line_is_one_paragraph_with_its_language_and_direction(open_page: Open) -> None:
    page = open_page("#name=arabic.pdf")
    first = page.locator("#text p").first
    expect(first).to_have_attribute("lang", "ar")
    expect(first).to_have_attribute("dir", "rtl")
    assert len(lines(page)) == 2


# What fails


@pytest.mark.parametrize(
    ("name", "advice", "primary"),
    [
        ("broken.pdf", "Remove the password", "Upload again…"),
        ("crashed.pdf", "Look into the function's log", "Read again…"),
    ],
)
def test_a_failed_document_shows_advice_and_the_button_that_helps(
    open_page: Open, name: str, advice: str, primary: str
) -> None:
    page = open_page(f"#name={name}")
    expect(page.locator("#state .advice")).to_contain_text(advice)
    expect(page.locator("#state .button.primary")).to_have_text(primary)
    expect(page.locator("#tools")).to_be_hidden()


def test_a_failed_document_is_read_again(api: FakeApi, open_page: Open) -> None:
    page = open_page("#name=crashed.pdf")
    page.locator("#state").get_by_role("button", name="Read again…").click()
    page.locator("#ask-dialog").get_by_role("button", name="Read again").click()
    expect(page.locator("#text p").first).to_have_text("Harbour & Sons Ltd.")
    assert api.read_again == ["crashed.pdf"]


def test_a_failed_document_is_uploaded_again(api: FakeApi, open_page: Open, tmp_path: Path) -> None:
    mended = tmp_path / "mended copy.pdf"
    mended.write_bytes(b"mended")
    page = open_page("#name=broken.pdf")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Upload again…").click()
    chooser.value.set_files(mended)
    expect(page.locator("#text p").first).to_have_text("Harbour & Sons Ltd.")
    assert api.documents["broken.pdf"].content == b"mended"


def test_the_page_asks_before_it_forgets_a_document(api: FakeApi, open_page: Open) -> None:
    page = open_page("#name=broken.pdf")
    page.get_by_role("button", name="Forget…").click()
    page.locator("#ask-dialog").get_by_role("button", name="Cancel").click()
    assert "broken.pdf" in api.documents
    page.get_by_role("button", name="Forget…").click()
    page.locator("#ask-dialog").get_by_role("button", name="Forget").click()
    expect(page.locator("#library")).to_be_visible()
    assert api.forgotten == [("broken.pdf", False)]


def test_a_waiting_document_says_why_and_until_when(open_page: Open) -> None:
    page = open_page("#name=later.pdf")
    expect(page.locator("#state")).to_contain_text("The quota of the month is used up.")
    expect(page.locator("#state")).to_contain_text("Next try at")


def test_a_missing_document_is_reported_and_shown_once_it_exists(api: FakeApi, open_page: Open) -> None:
    page = open_page("#name=nowhere.pdf")
    expect(page.locator("#state h2")).to_have_text("There is no document with this name")
    api.documents["nowhere.pdf"] = Document("nowhere.pdf", page_count=1, page=book_page)
    expect(page.locator("#text p").first).to_have_text("Page 1 of a long book")


def test_unreachable_storage_is_reported_and_the_page_continues_by_itself(api: FakeApi, open_page: Open) -> None:
    api.offline = True
    page = open_page()
    expect(page.locator("#banner")).to_contain_text("Storage cannot be reached.")
    api.offline = False
    expect(page.locator("#rows .row").first).to_be_visible()
    expect(page.locator("#banner")).to_be_hidden()
    api.offline = True
    page.locator("#rows a", has_text="book.pdf").click()
    expect(page.locator("#banner")).to_be_visible()
    api.offline = False
    expect(page.locator("#text p").first).to_be_visible()


def test_the_page_asks_again_after_a_wrong_key_and_only_once_for_a_right_one(api: FakeApi, open_page: Open) -> None:
    api.key = "right-key"
    page = open_page()
    dialog = page.locator("#key-dialog")
    expect(dialog).to_be_visible()
    page.fill("#key", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#key-error")).to_contain_text("does not accept this key")
    page.fill("#key", "right-key")
    page.keyboard.press("Enter")
    expect(page.locator("#rows .row").first).to_be_visible()
    expect(dialog).to_be_hidden()
    page.reload()
    expect(page.locator("#rows .row").first).to_be_visible()
    expect(dialog).to_be_hidden()
    assert page.evaluate("sessionStorage.getItem('blob-ocr-key')") == "right-key"
    assert "right-key" not in page.url
    assert page.evaluate("JSON.stringify(localStorage)") == "{}"


def test_after_a_declined_key_the_page_asks_again_only_when_the_person_does_something(
    api: FakeApi, open_page: Open
) -> None:
    api.key = "right-key"
    page = open_page("#name=being-read.pdf")
    dialog = page.locator("#key-dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#state")).to_contain_text("You need the app’s key to see documents.")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Try again").click()
    expect(dialog).to_be_visible()


@pytest.mark.parametrize("by", ["app", "platform"])
def test_with_sign_in_turned_on_the_page_leads_to_it_and_back_and_asks_for_no_key(
    api: FakeApi, open_page: Open, by: str
) -> None:
    api.sign_in = by
    page = open_page(HARBOUR)
    expect(page.locator("#sign-in-dialog")).to_be_visible()
    expect(page.locator("#key-dialog")).to_be_hidden()
    leads = urlsplit(str(page.locator("#sign-in").get_attribute("href")))
    assert (leads.netloc, leads.path) == ("", "/.auth/login/aad")
    assert parse_qs(leads.query) == {"post_login_redirect_uri": [f"/api/{HARBOUR}"]}
    page.get_by_role("button", name="Not now").click()
    expect(page.locator("#state")).to_contain_text("You are not signed in.")
    api.sign_in = None
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#text p").first).to_be_visible()


# Hostile names and texts


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_hostile_names_and_texts_are_shown_as_plain_text(open_page: Open, name: str) -> None:
    page = open_page()
    page.fill("#prefix", name[:400])
    row = page.locator("#rows a")
    expect(row).to_have_count(1)
    row.click()
    expect(page.locator("#text p").first).to_have_text(HOSTILE)
    assert page.locator("#doc-name").inner_text().replace("\n", "") == name
    assert unquote(place(page)["name"]) == unquote(name)
    assert page.evaluate("window.hacked") is None
    page.reload()
    expect(page.locator("#text p").last).to_have_text("and a plain line")
    page.fill("#find", "onerror=")
    expect(page.locator("#hits-badge")).to_have_text("1")
    assert page.locator("#hits img, #text img").count() == 0


def test_hostile_names_can_be_dropped(api: FakeApi, open_page: Open) -> None:
    page = open_page()
    name = "<img src=x onerror='window.hacked=1'> #1?&%2F+.png"
    drop(page, png(name))
    expect(page.locator("#text p").first).to_have_text("Harbour & Sons Ltd.")
    assert name in api.documents
    assert place(page)["name"] == name


def test_any_name_survives_the_way_through_the_address(open_page: Open) -> None:
    page = open_page("#name=" + quote(HOSTILE_NAMES[1], safe=""))
    expect(page.locator("#text p").first).to_have_text(HOSTILE)
