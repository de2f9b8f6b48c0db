"""Which function a request's path leads to, by ASP.NET Core's route templates."""

import pytest

from local.functions_emulator.routes import Template, decoded, find, route
from local.functions_emulator.settings import HostError


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        ("api/documents", "api/documents", {}),
        ("api/documents", "API/Documents", {}),
        ("api/documents", "api/documents/", {}),
        ("api/documents", "api/documents/a", None),
        ("api/documents", "api", None),
        ("api/{name}", "api/a b", {"name": "a b"}),
        ("api/{name}", "api/a/b", None),
        ("api/{name}", "api/", None),
        ("api/{name}/pages/{page:int}", "api/x/pages/12", {"name": "x", "page": "12"}),
        ("api/{name}/pages/{page:int}", "api/x/pages/one", None),
        ("api/{page?}", "api", {}),
        ("api/{page?}", "api/", {}),
        ("api/{page?}", "api/3", {"page": "3"}),
        ("api/{page:int=1}", "api", {"page": "1"}),
        ("api/{page:int=1}", "api/x", None),
        ("api/{a?}/{b?}", "api/1", {"a": "1"}),
        ("api/{a?}/{b?}", "api/1/2", {"a": "1", "b": "2"}),
        ("api/{*path}", "api/a//b/", {"path": "a//b/"}),
        ("api/{**path}", "api", {}),
        ("api/{ignored:maxlength(0)?}", "api", {}),
        ("api/{ignored:maxlength(0)?}", "api/", {}),
        ("api/{ignored:maxlength(0)?}", "api/x", None),
        ("api/{file}.{kind}", "api/a.b.js", {"file": "a.b", "kind": "js"}),
        ("api/{file}.js", "api/page.js", {"file": "page"}),
        ("api/{file}.js", "api/page-js", None),
        (r"api/{year:regex(^\d{{4}}$)}", "api/2026", {"year": "2026"}),
        (r"api/{year:regex(^\d{{4}}$)}", "api/20267", None),
        ("api/{x:length(2,3)}", "api/abcd", None),
        ("api/{x:range(1,9)}", "api/9", {"x": "9"}),
        ("api/{x:alpha:minlength(2)}", "api/ab", {"x": "ab"}),
        ("api/{x:guid}", "api/12345678-1234-1234-1234-123456789012", {"x": "12345678-1234-1234-1234-123456789012"}),
        ("api/{x:bool}", "api/maybe", None),
        ("a.b", "axb", None),
    ],
)
def test_a_template_matches_paths_as_in_asp_net_core(template: str, path: str, values: dict[str, str] | None) -> None:
    assert Template(template).match(path) == values


@pytest.mark.parametrize(
    "template",
    [
        "api//a",
        "/api",
        "api/{a",
        "api/a}",
        "api/{}",
        "api/{a}{b}",
        "api/{a}/{a}",
        "api/{*a}/b",
        "api/{*a?}",
        "api/{a?}/b",
        "api/{a:odd}",
        "api/{a:int(}",
        "api/{a:minlength(x)}",
        "api/{a}.{b?}",
    ],
)
def test_an_invalid_template_is_refused_with_its_text(template: str) -> None:
    with pytest.raises(HostError, match="route") as refused:
        Template(template)
    assert repr(template) in str(refused.value)


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/api/%C3%A4%20b", "api/ä b"),
        ("/api/a%2Fb", "api/a%2Fb"),
        ("/api/a%2fb", "api/a%2fb"),
        ("/api/%252F", "api/%2F"),
        ("/api/../admin", "admin"),
        ("/api/%2e%2e/x", "x"),
        ("/../../x", "x"),
        ("/api/./x/.", "api/x/"),
        ("/", ""),
    ],
)
def test_a_path_is_decoded_except_for_slashes_and_has_no_dot_segments(raw: str, path: str) -> None:
    assert decoded(raw) == path


def test_of_two_matching_routes_the_first_by_function_name_is_taken() -> None:
    routes = {
        "b_check": route("api", "documents/check", "b_check", ["GET"]),
        "A_one": route("api", "documents/{name}", "A_one", ["GET"]),
    }
    assert find(routes, "GET", "api/documents/check") == ("A_one", {"name": "check"})


def test_a_route_may_have_a_function_per_method_and_other_methods_are_not_found() -> None:
    routes = {name: route("api", "x", name, [name]) for name in ("get", "post")}
    assert [find(routes, method, "api/x") for method in ("GET", "POST", "HEAD", "OPTIONS", "DELETE")] == [
        ("get", {}),
        ("post", {}),
        None,
        None,
        None,
    ]


def test_a_route_without_methods_accepts_all() -> None:
    assert find({"x": route("api", None, "x", ())}, "PROPFIND", "api/x") == ("x", {})


@pytest.mark.parametrize("text", [None, "", " "])
def test_without_a_route_the_functions_name_is_the_route(text: str | None) -> None:
    assert route("api", text, "check", ()).template.text == "api/check"


def test_without_a_prefix_the_route_is_the_whole_path() -> None:
    assert route("", "x/{y}", "f", ()).template.text == "x/{y}"


@pytest.mark.parametrize("text", ["admin/x", "Runtime", "/admin"])
def test_a_route_below_a_path_of_the_host_is_refused(text: str) -> None:
    with pytest.raises(HostError, match="conflicts"):
        route("api", text, "f", ())
