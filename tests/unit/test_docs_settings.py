"""docs/settings.md explains every setting, version of Read and value of host.json as the code has it."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from shared.read.generation import ReadOptions
from shared.read.generations import all_generations, generation
from shared.settings import SettingsError, from_environment
from tests.support.markdown import document, names, section, tables

PAGE = document("docs/settings.md")
PROSE = " ".join(PAGE.split())
REQUIRED = {"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://localhost:5000"}


def first_column(heading: str) -> list[str]:
    """The texts set as code in the first column of all tables under a heading."""
    return [name for rows in tables(section(PAGE, heading)) for row in rows for name in names(row[0])]


class Recorder(dict[str, str]):
    """Settings that record which of them were read."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().get(key, default)


def test_every_setting_is_explained() -> None:
    by_string, by_identity = Recorder(REQUIRED), Recorder({**REQUIRED, "DocumentStorage": ""})
    from_environment(by_string)
    by_identity["DocumentStorage__accountName"] = "account"
    from_environment(by_identity)
    host_s_own = {"AzureWebJobsStorage"}
    override = {"AzureFunctionsJobHost__functionTimeout"}
    assert set(first_column("App settings")) == (by_string.names | by_identity.names | host_s_own) - override


@pytest.mark.parametrize("row", tables(section(PAGE, "App settings"))[0], ids=lambda row: row[0])
def test_the_documented_default_of_a_setting_is_the_codes(row: list[str]) -> None:
    setting, default = names(row[0])[0], names(row[1])
    if default:
        assert from_environment({**REQUIRED, setting: default[0]}) == from_environment(REQUIRED)
    elif setting == "READ_RATE":
        chosen = generation("v3.2")
        assert from_environment({**REQUIRED, setting: chosen.rate}) == from_environment(REQUIRED)
    else:
        assert row[1] == "–"


def examples() -> list[tuple[str, str]]:
    """Each setting and value that the docs name."""
    rows = {names(row[0])[0]: row[2] for row in tables(section(PAGE, "App settings"))[0]}
    settings = ["READ_LANGUAGE", "READ_PAGES", "READ_MODEL_VERSION", "READ_READING_ORDER", "READ_RATE",
                "READ_FILES_FROM", "FIND_MISSED_SCHEDULE", "DELETE_WITH_SOURCE", "SUBMIT_BY",
                "BLOB_TRIGGER_SOURCE"]  # fmt: skip
    no_values = ("find_missed", "ignored")
    return [(setting, name) for setting in settings for name in names(rows[setting]) if name not in no_values]


@pytest.mark.parametrize(("setting", "value"), examples())
def test_every_documented_value_is_accepted(setting: str, value: str) -> None:
    from_environment({**REQUIRED, setting: value})
    with pytest.raises(SettingsError):
        from_environment({**REQUIRED, setting: "?"})


def test_the_documented_metadata_options_are_those_that_are_accepted() -> None:
    (sentence,) = re.findall(r"A blob's metadata may set (.*?) for that one document\.", PROSE)
    assert names(sentence) == ReadOptions.names()


# Generations


def test_the_documented_generations_are_those_that_are_known() -> None:
    assert tables(section(PAGE, "Generations of Read"))[0] == [
        [
            f"`{each.version}`",
            ", ".join(f"`{option}`" for option in ReadOptions.names() if option in each.options) or "–",
            str(each.most_megabytes),
            f"{each.most_pixels:,}",
            f"{each.most_pages:,}",
            each.rate,
            each.retired or "–",
        ]
        for each in all_generations()
    ]


def test_each_version_reads_the_documented_formats() -> None:
    ((every, added),) = re.findall(r"Every version reads ([^;]+);([^.]+)\.", PROSE)
    since = re.findall(r"`([\d-]+)` and later also ([^;]+)", added)
    for each in all_generations():
        newer = not each.version.startswith("v")
        more = [formats for version, formats in since if newer and each.version >= version]
        assert set(re.findall(r"[A-Z]{3,}", " ".join([every, *more]))) == set(each.formats)


def test_the_first_eight_versions_are_those_of_computer_vision() -> None:
    assert "The first eight need a Computer Vision resource" in PROSE
    services = [each.service for each in all_generations()]
    assert services == ["Computer Vision"] * 8 + ["Document Intelligence"] * (len(services) - 8)


# host.json


def leaves(value: Any, path: str = "") -> dict[str, str]:
    if isinstance(value, dict):
        return {key: leaf for name, each in value.items() for key, leaf in leaves(each, f"{path}.{name}").items()}
    return {path[1:]: value if isinstance(value, str) else json.dumps(value)}


def test_every_value_of_host_json_has_its_reason() -> None:
    items = re.findall(r"^- `([^`]+)`: `([^`]+)`\. \w+", section(PAGE, "host.json"), re.MULTILINE)
    assert dict(items) == leaves(json.loads(document("host.json")))


def test_a_claim_is_as_long_as_the_reason_for_the_timeout_says() -> None:
    minutes = from_environment(REQUIRED, document("host.json")).claim_length / timedelta(minutes=1)
    assert f"A claim on a document holds a tenth longer, for {minutes:.0f} minutes" in PROSE
