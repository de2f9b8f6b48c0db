"""host.json, in every form that the Functions host accepts."""

import codecs
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.host_json import HostJsonError, parse_time_span, read

PLAIN = '{"version": "2.0", "functionTimeout": "00:10:00", "extensions": {"queues": {"batchSize": 16}}}'

WRITTEN: dict[str, str | bytes] = {
    "as it is": PLAIN,
    "UTF-8": PLAIN.encode(),
    "UTF-8 with a byte order mark": codecs.BOM_UTF8 + PLAIN.encode(),
    "a text with a byte order mark": "\ufeff" + PLAIN,
    "UTF-16, as PowerShell writes it": PLAIN.encode("utf-16"),
    "UTF-16, big endian": codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
    "UTF-32": PLAIN.encode("utf-32"),
    "a comment in a line": PLAIN.replace('"functionTimeout"', '// ours, "not" yours\n"functionTimeout"'),
    "a comment within a line": PLAIN.replace("16", "/* was\n 8 */ 16 /**/"),
    "a comment at the end": PLAIN + "// the end",
    "trailing commas": PLAIN.replace("16}", "16,\n}").replace("}}}", "}, /* x */ }, }"),
    "single quotation marks": PLAIN.replace('"', "'"),
    "other letters": PLAIN.replace("functionTimeout", "FUNCTIONTIMEOUT").replace("extensions", "Extensions"),
    "a name twice": PLAIN.replace('"functionTimeout"', '"functionTimeout": "00:01:00", "FunctionTimeout"'),
    "a number as a text": PLAIN.replace("16", '"16"'),
    "line feeds of Windows": PLAIN.replace(", ", ",\r\n"),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_every_form_that_the_host_accepts_is_read_the_same(form: str) -> None:
    found = read(WRITTEN[form], {})
    assert found.function_timeout(timedelta(0)) == timedelta(minutes=10)
    assert found.integer("extensions.queues.batchSize", 1, 1) == 16
    assert found.text("version") == "2.0"


TEXTS = st.text(max_size=12)
VALUES = st.recursive(
    st.none() | st.integers(-99, 99) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4), st.booleans(), st.sampled_from([None, 1]))
def test_any_json_is_read_the_same_with_comments_in_it(
    document: dict[str, object], ascii_only: bool, indent: int | None
) -> None:
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent)
    assert read(text, {}) == read(f"/* a */ {text.encode().decode()} // b", {})
    if indent:
        lines = [line + " // c" for line in text.split("\n")]
        assert read("\n".join(lines), {}) == read(text, {})


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{version: 2.0}", "null", b"\xff\xfe{", b"\x80", '{"a": \'b}', "{/*}", "[" * 100_000],
)
def test_the_error_about_invalid_json_names_the_file(content: str | bytes) -> None:
    with pytest.raises(HostJsonError, match=r"host\.json is not"):
        read(content, {})


@pytest.mark.parametrize(
    "name",
    [
        "AzureFunctionsJobHost__extensions__queues__batchSize",
        "AZUREFUNCTIONSJOBHOST__EXTENSIONS__QUEUES__BATCHSIZE",
        "azurefunctionsjobhost__extensions__Queues__batchsize",
        "AzureFunctionsJobHost:extensions:queues:batchSize",
    ],
)
def test_an_app_setting_overrides_host_json_in_any_case(name: str) -> None:
    assert read(PLAIN, {name: "7"}).integer("extensions.queues.batchSize", 1, 1) == 7


def test_an_app_setting_adds_what_host_json_does_not_have() -> None:
    found = read(
        "{}", {"AzureFunctionsJobHost__functionTimeout": "01:00:00", "AzureFunctionsJobHost": "x", "a__b": "c"}
    )
    assert found.function_timeout(timedelta(0)) == timedelta(hours=1)
    assert len(found.values) == 1


@pytest.mark.parametrize("text", ['"-1"', "-1", '"-1.00:00:00"'])
def test_a_function_timeout_of_minus_one_means_no_limit(text: str) -> None:
    assert read(f'{{"functionTimeout": {text}}}', {}).function_timeout(timedelta(minutes=5)) is None


@pytest.mark.parametrize("text", ["null", '""'])
def test_a_value_that_is_empty_is_absent(text: str) -> None:
    assert read(f'{{"functionTimeout": {text}}}', {}).function_timeout(timedelta(minutes=5)) == timedelta(minutes=5)


@pytest.mark.parametrize("text", ["00:00:00.5", "-00:10:00", "ten minutes", "00:61:00"])
def test_a_function_timeout_that_the_host_refuses_is_named_with_its_override(text: str) -> None:
    with pytest.raises(HostJsonError, match=r"functionTimeout in host\.json .*AzureFunctionsJobHost__functionTimeout"):
        read(json.dumps({"functionTimeout": text}), {}).function_timeout(timedelta(minutes=5))


@pytest.mark.parametrize(("text", "encoding"), [("base64", "base64"), ("None", "none"), ("BASE64", "base64")])
def test_the_encoding_of_messages_is_read_in_any_case(text: str, encoding: str) -> None:
    assert read(json.dumps({"extensions": {"queues": {"messageEncoding": text}}}), {}).message_encoding() == encoding


def test_the_values_of_a_section_keep_dots_in_their_names() -> None:
    found = read('{"logging": {"logLevel": {"Function.poll": "None", "default": "Error"}}}', {})
    assert found.section("logging.logLevel") == {"function.poll": "None", "default": "Error"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:10:00", 600),
        ("1.00:00:01", 86401),
        ("1:00:00:01", 86401),
        ("00:01", 60),
        ("1:2:3", 3723),
        ("00:00:00.250", 0.25),
        ("23:59:59", 86399),
        ("2", 172800),
        ("-1", -86400),
        (" 00:10:00 ", 600),
    ],
)
def test_time_spans_are_parsed_as_by_dotnet(text: str, seconds: float) -> None:
    assert parse_time_span(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "24:00:00", "00:60:00", "00:00:60", "ten", "1:2:3:4:5", "99999999999", "1.5"])
def test_an_invalid_time_span_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="^" + text):
        parse_time_span(text)
