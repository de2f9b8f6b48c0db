"""In Azure, data goes only to callers who have a key or have signed in."""

from collections.abc import Mapping
from typing import Any

import azure.functions as func
import pytest

from web.message import Request
from web.problem import Problem
from web.protection import check
from web.routes import ROUTES, Route
from web.serve import serve
from web.triggers import blueprint

FLEX = {"CONTAINER_NAME": "c", "WEBSITE_SITE_NAME": "app"}
PREMIUM = {"WEBSITE_INSTANCE_ID": "i"}
CONTAINER_APPS = {"MANAGED_ENVIRONMENT": "e"}
SIGNED = {"x-ms-client-principal": "e30="}


@pytest.mark.parametrize("environ", [FLEX, PREMIUM, CONTAINER_APPS])
def test_in_azure_nothing_is_served_without_a_key_or_a_sign_in(environ: Mapping[str, str]) -> None:
    with pytest.raises(Problem) as problem:
        check(Request(), environ)
    assert (problem.value.code, problem.value.status) == ("NotProtected", 403)


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.is_open], ids=lambda route: route.name)
def test_no_route_for_data_reaches_storage_unprotected(route: Route) -> None:
    """The services that reach storage are not even created."""
    for environ, status in ((FLEX, 403), ({**FLEX, "WEBSITE_AUTH_ENABLED": "True"}, 401)):
        for method in route.methods:
            assert serve(route, Request(method=method), _nothing(), environ, _never).status == status


@pytest.mark.parametrize("environ", [FLEX, PREMIUM, CONTAINER_APPS])
def test_in_azure_a_key_that_the_host_has_checked_is_enough(environ: Mapping[str, str]) -> None:
    check(Request(headers={"x-functions-key": "key"}), environ)
    check(Request(query={"code": "key"}), environ)


def test_the_sign_in_header_counts_only_if_the_platform_sets_it() -> None:
    with pytest.raises(Problem):
        check(Request(headers=SIGNED), FLEX)
    check(Request(headers=SIGNED), {**FLEX, "WEBSITE_AUTH_ENABLED": "True"})


def test_with_sign_in_turned_on_a_key_is_not_enough_since_the_host_does_not_check_it() -> None:
    with pytest.raises(Problem) as problem:
        check(Request(headers={"x-functions-key": "anything"}), {**FLEX, "WEBSITE_AUTH_ENABLED": "True"})
    assert problem.value.code == "AuthenticationRequired"


@pytest.mark.parametrize("environ", [{}, {"CONTAINER_NAME": "dev"}, {"WEBSITE_HOSTNAME": "localhost:7071"}])
def test_on_a_laptop_only_the_host_checks_keys(environ: Mapping[str, str]) -> None:
    check(Request(), environ)


def _nothing() -> Any:
    """Stands for what is not needed before a request comes."""


def _never() -> Any:
    raise AssertionError("a request that must be refused was served")


def _levels(environ: Mapping[str, str]) -> dict[str, str]:
    app: Any = func.FunctionApp()
    app.register_functions(blueprint(_nothing(), environ, _nothing))
    return {function.get_function_name(): function.get_trigger().auth_level.name for function in app.get_functions()}


def test_data_needs_a_function_key_and_the_page_needs_none() -> None:
    levels = _levels(FLEX)
    assert {name for name, level in levels.items() if level == "ANONYMOUS"} == {"openapi", "site", "site_files"}
    assert set(levels.values()) == {"FUNCTION", "ANONYMOUS"}
    assert list(levels) == [route.name for route in ROUTES]


def test_with_sign_in_turned_on_the_host_asks_for_no_key() -> None:
    assert set(_levels({"WEBSITE_AUTH_ENABLED": "true"}).values()) == {"ANONYMOUS"}
