"""Internet shortcuts as browsers and Windows write them, and files that are not shortcuts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.shortcut import MOST_BYTES, NotAShortcut, is_shortcut, target

URL = "https://example.com/scans/a%20b.png?x=1&y=2"
PLAIN = f"[InternetShortcut]\r\nURL={URL}\r\n"

WRITTEN = {
    "a browser": PLAIN,
    "line feeds alone": PLAIN.replace("\r\n", "\n"),
    "carriage returns alone": PLAIN.replace("\r\n", "\r"),
    "no end of the last line": PLAIN.rstrip(),
    "Windows": "[{000214A0-0000-0000-C000-000000000046}]\r\nProp3=19,2\r\n"
    f"[InternetShortcut]\r\nIDList=\r\nURL={URL}\r\nIconIndex=0\r\nHotKey=0\r\n",
    "an older Windows": f"[DEFAULT]\r\nBASEURL=https://other.example/\r\n[InternetShortcut]\r\nURL={URL}\r\nModified=20C0\r\n",
    "other letters": f"[INTERNETSHORTCUT]\r\nurl = {URL}\r\n",
    "quotes": f'[InternetShortcut]\r\nURL="{URL}"\r\n',
    "blank lines": f"\r\n\r\n[InternetShortcut]\r\n\r\nURL={URL}\r\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("kind", WRITTEN)
def test_a_shortcut_is_understood_however_it_is_written(kind: str, encoding: str) -> None:
    if kind == "blank lines" and encoding in ("utf-16-le", "utf-16-be"):
        return  # without a byte order mark, only the first bracket shows that this is UTF-16
    assert target(WRITTEN[kind].encode(encoding)) == URL


def test_a_big_endian_byte_order_mark_is_understood() -> None:
    assert target(b"\xfe\xff" + PLAIN.encode("utf-16-be")) == URL


def test_of_two_urls_the_one_with_all_unicode_characters_is_used() -> None:
    text = "[InternetShortcut]\r\nURL=https://example.com/?.png\r\n[InternetShortcut.W]\r\nURL=https://example.com/+ZeVnLIqe-.png\r\n"
    assert target(text.encode()) == "https://example.com/%E6%97%A5%E6%9C%AC%E8%AA%9E.png"


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://example.com", "https://example.com/"),
        ("HTTP://Example.com:8080/a", "http://example.com:8080/a"),
        ("https://example.com/a b.png", "https://example.com/a%20b.png"),
        ("https://bücher.example/ü.png?q=ü", "https://xn--bcher-kva.example/%C3%BC.png?q=%C3%BC"),
        ("https://[2001:db8::1]:444/a.png", "https://[2001:db8::1]:444/a.png"),
        ("https://example.com/a.png#page=2", "https://example.com/a.png"),
        ("https://127.0.0.1:10000/a%2Fb", "https://127.0.0.1:10000/a%2Fb"),
    ],
)
def test_a_url_is_encoded_in_ascii_and_otherwise_unchanged(url: str, sent: str) -> None:
    assert target(f"[InternetShortcut]\nURL={url}\n".encode()) == sent


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        b"https://example.com/a.png",
        b"URL=https://example.com/a.png",
        b"[Desktop Entry]\nURL=https://example.com/a.png\n",
        b"[InternetShortcut]\nURL=\n",
        b"[InternetShortcut]\nURL=file:///etc/passwd\n",
        b"[InternetShortcut]\nURL=javascript:alert(1)\n",
        b"[InternetShortcut]\nURL=ftp://example.com/a.png\n",
        b"[InternetShortcut]\nURL=https:///a.png\n",
        b"[InternetShortcut]\nURL=https://user:secret@example.com/a.png\n",
        b"[InternetShortcut]\nURL=https://example.com:99999/a.png\n",
        b"[InternetShortcut]\nURL=https://exa mple.com/a.png\n",
        b"[InternetShortcut]\nURL=https://example.com\\@other.example/a.png\n",
        b"[InternetShortcut]\nURL=https://[::1/a.png\n",
        b"[InternetShortcut]\nURL=https://example.com/" + b"a" * 2100 + b"\n",
        PLAIN.encode() + b" " * MOST_BYTES,
    ],
)
def test_an_invalid_shortcut_is_refused_without_repeating_its_content(content: bytes) -> None:
    with pytest.raises(NotAShortcut) as refusal:
        target(content)
    assert "secret" not in str(refusal.value)
    assert "example.com" not in str(refusal.value)


@given(
    st.binary(max_size=300)
    | st.text(max_size=200).map(lambda text: f"[InternetShortcut]\nURL={text}".encode("utf-8", "replace"))
)
def test_any_content_gives_a_web_url_or_is_refused(content: bytes) -> None:
    try:
        url = target(content)
    except NotAShortcut:
        return
    assert url.startswith(("http://", "https://"))
    assert url.isascii()
    assert url.isprintable()


def test_a_shortcut_is_recognised_by_its_name() -> None:
    assert is_shortcut("a/b.URL")
    assert not is_shortcut("a.url/b.png")
    assert not is_shortcut("curl")
