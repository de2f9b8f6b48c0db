"""What a command prints when it does something for several names."""

from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ResourceModifiedError,
    ServiceRequestError,
)

from cli.arguments import parse
from cli.names import NotDone, for_each, is_there
from shared.settings import from_environment
from shared.storage.documents import Conflict
from shared.storage.fence import Superseded

SETTINGS = from_environment({"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://localhost:5000"})


def done(_: str) -> str:
    return "done."


def test_each_name_is_reported_once_in_the_given_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert for_each(["b", "a", "b"], done, SETTINGS) == 0

    assert capsys.readouterr().out == "b: done.\na: done.\n"


def _forbidden() -> HttpResponseError:
    error = HttpResponseError("This request is not authorized.")
    error.status_code = 403
    return error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotDone("there is no such file."), "b: there is no such file.\n"),
        (Conflict(None), "b: the app is at work on it just now. Ask again in a moment.\n"),
        (Superseded(), "b: the app is at work on it just now. Ask again in a moment.\n"),
        (
            ResourceModifiedError("There is currently a lease on the blob.\nRequestId:1"),
            "b: storage refused: There is currently a lease on the blob. Correct that, and ask again.\n",
        ),
        (
            _forbidden(),
            "b: Storage answered HTTP 403.\n",
        ),
        (ValueError("a blob's name has a segment '.' or '..'"), "b: a blob's name has a segment '.' or '..'.\n"),
        (NotDone("no\nb: done."), "b: no\\nb: done.\n"),
    ],
)
def test_a_name_that_fails_does_not_stop_the_others(
    capsys: pytest.CaptureFixture[str], error: Exception, told: str
) -> None:
    def task(name: str) -> str:
        if name == "b":
            raise error
        return done(name)

    assert for_each(["a", "b", "c"], task, SETTINGS) == 1

    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("a: done.\nc: done.\n", told)


@pytest.mark.parametrize("error", [ClientAuthenticationError("No token."), ServiceRequestError("No route.")])
def test_unreachable_storage_ends_the_command_at_the_first_name(error: Exception) -> None:
    asked = []

    def task(name: str) -> str:
        asked.append(name)
        raise error

    with pytest.raises(type(error)):
        for_each(["a", "b"], task, SETTINGS)

    assert asked == ["a"]


def test_a_name_cannot_send_escape_sequences_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for_each(["a\x1b[2J"], done, SETTINGS)

    assert "\x1b" not in capsys.readouterr().out


class NoStorage:
    """An input container that must not be called."""

    def etag(self, name: str) -> str | None:
        raise AssertionError(name)


def test_a_name_with_a_dot_segment_reaches_no_storage() -> None:
    app: Any = SimpleNamespace(
        settings=SimpleNamespace(input_container="inbox", reads=lambda *_: True), inbox=NoStorage()
    )

    assert not is_there(app, "../secrets/a.pdf")


def test_a_file_outside_the_apps_folder_is_refused() -> None:
    app: Any = SimpleNamespace(
        settings=SimpleNamespace(input_container="inbox", input_prefix="scans/", reads=lambda *_: False),
        inbox=NoStorage(),
    )

    with pytest.raises(NotDone, match="scans/"):
        is_there(app, "other/a.pdf")


def test_a_backslash_in_a_name_or_prefix_counts_as_a_slash_as_in_storage() -> None:
    assert parse(["forget", "2024\\x.pdf"]).names == ["2024/x.pdf"]
    assert parse(["list", "2024\\"]).prefix == "2024/"
