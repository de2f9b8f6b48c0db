"""A comparison's stored continuation is not trusted for ever: if storage refuses it, the listing starts again."""

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from shared.missed import Progress, find_missed, last_comparison
from shared.storage.inbox import Listed
from simulation.app import App

KEPT = Progress(key="0" * 32, page="a place of last year")


class Refusing:
    """An input container whose service no longer knows its old continuation tokens."""

    def __init__(self, inbox: Any, status: int) -> None:
        self._inbox = inbox
        self._status = status
        self.refused = 0

    def pages(self, prefix: str, start: str | None) -> Iterator[tuple[list[Listed], str | None]]:
        if start is not None:
            self.refused += 1
            error = HttpResponseError("OutOfRangeInput")
            error.status_code = self._status
            raise error
        yield from self._inbox.pages(prefix, None)


def find(app: App, inbox: Refusing, **options: Any) -> int:
    services: Any = replace(app.services, inbox=inbox)  # type: ignore[arg-type]  # what a comparison asks of it
    return find_missed(services, app.clock() + timedelta(minutes=5), settled_after=timedelta(days=-1), **options)


@pytest.mark.parametrize("resume_only", [False, True], ids=["each night", "every five minutes"])
def test_a_continuation_that_storage_refuses_starts_the_listing_again(app: App, *, resume_only: bool) -> None:
    app.drop("missed.png", "one")
    app.services.comparisons.save(json.dumps(asdict(KEPT)))
    inbox = Refusing(app.services.inbox, 400)
    assert find(app, inbox, resume_only=resume_only) == 1
    assert inbox.refused == 1
    after = last_comparison(app.services)
    assert after is not None
    assert after.done
    app.run()
    assert app.document("missed.png").text == "one"


def test_trouble_with_storage_does_not_start_the_listing_again(app: App) -> None:
    app.drop("missed.png", "one")
    app.services.comparisons.save(json.dumps(asdict(KEPT)))
    with pytest.raises(HttpResponseError):
        find(app, Refusing(app.services.inbox, 503))
    assert last_comparison(app.services) == KEPT


@pytest.mark.parametrize(
    "kept", ["", "null", "[]", "{}", '{"key": 7}', '{"unknown": 1}', "not JSON", '{"key":"k","slices":"x"}']
)
def test_an_unreadable_continuation_starts_the_comparison_again(app: App, kept: str) -> None:
    app.drop("missed.png", "one")
    app.services.comparisons.save(kept)
    assert find(app, Refusing(app.services.inbox, 400)) == 1
