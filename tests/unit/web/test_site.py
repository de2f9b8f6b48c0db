"""Serving the page's files, and what a browser may do with them."""

from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from shared.settings import StorageConnection
from web.message import Request
from web.problem import Problem
from web.site import security_headers, site_file, storage_origin

ORIGIN = "https://scans.blob.core.windows.net"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<title>blob-ocr</title>")
    (tmp_path / "main.js").write_text("let a")
    (tmp_path / "icons").mkdir()
    (tmp_path / "icons" / "a.svg").write_text("<svg/>")
    (tmp_path / "secret.py").write_text("x = 1")
    (tmp_path / ".hidden.js").write_text("x")
    return tmp_path


@pytest.mark.parametrize(
    ("file", "media_type"),
    [
        ("", "text/html; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("main.js", "text/javascript; charset=utf-8"),
        ("icons/a.svg", "image/svg+xml"),
    ],
)
def test_a_file_of_the_page_is_served_with_its_type(folder: Path, file: str, media_type: str) -> None:
    response = site_file(Request(file=file), ORIGIN, folder)
    assert (response.status, response.media_type) == (200, media_type)
    assert response.body == (folder / (file or "index.html")).read_bytes()
    again = site_file(Request(file=file, headers={"if-none-match": response.headers["ETag"]}), ORIGIN, folder)
    assert (again.status, again.body) == (304, b"")
    assert again.headers["Content-Security-Policy"] == response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "file",
    ["none.js", "secret.py", "../main.js", "icons/../main.js", "icons", ".hidden.js", "/etc/passwd.txt", "a\0.js",
     "icons\\a.svg", "icons//a.svg", "main.js/", "C:main.js", "x" * 5000 + ".js"],
)  # fmt: skip
def test_no_other_file_is_served(folder: Path, file: str) -> None:
    with pytest.raises(Problem) as problem:
        site_file(Request(file=file), ORIGIN, folder)
    assert problem.value.code == "FileNotFound"


def test_a_changed_file_is_served_with_its_new_content(folder: Path) -> None:
    before = site_file(Request(file="main.js"), ORIGIN, folder)
    (folder / "main.js").write_text("let other")
    after = site_file(Request(file="main.js"), ORIGIN, folder)
    assert (after.body, after.headers["ETag"] != before.headers["ETag"]) == (b"let other", True)


def test_the_policy_allows_only_the_pages_own_files_and_requests_to_the_accounts_blobs() -> None:
    headers = security_headers(ORIGIN)
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": f"'self' {ORIGIN}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"


KEY = "AccountName=scans;AccountKey=a2V5"


@pytest.mark.parametrize(
    "connection",
    [
        "UseDevelopmentStorage=true",
        f"DefaultEndpointsProtocol=https;{KEY};EndpointSuffix=core.windows.net",
        f"DefaultEndpointsProtocol=https;{KEY};EndpointSuffix=core.chinacloudapi.cn",
        f"{KEY}",
        f"DefaultEndpointsProtocol=http;{KEY};BlobEndpoint=http://127.0.0.1:10000/scans;",
        "BlobEndpoint=https://scans.z1.blob.storage.azure.net;SharedAccessSignature=sv=1&sig=2",
    ],
)
def test_the_origin_of_blobs_is_the_one_that_the_sdk_uses(connection: str) -> None:
    origin = storage_origin(StorageConnection(connection_string=connection))
    assert BlobServiceClient.from_connection_string(connection).url.startswith(f"{origin}/")


def test_with_an_identity_the_origin_is_the_accounts_url() -> None:
    assert storage_origin(StorageConnection(blob_url=ORIGIN)) == ORIGIN


def test_an_origin_cannot_add_another_source_to_the_policy() -> None:
    assert storage_origin(StorageConnection(connection_string="BlobEndpoint=https://a *;x/")) == ""
