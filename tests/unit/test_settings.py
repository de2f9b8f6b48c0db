"""App settings: a missing or wrong one is named with the expected form of its value."""

import codecs
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from shared import settings
from shared.settings import Settings, SettingsError

LEAST = {"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://127.0.0.1:5000"}


def read(**others: str) -> Settings:
    return settings.from_environment({**LEAST, **others})


def test_storage_and_endpoint_are_all_that_must_be_set() -> None:
    found = settings.from_environment(LEAST)
    assert (found.input_container, found.output_container, found.input_prefix) == ("inbox", "results", "")
    assert (found.read_queue, found.done_queue) == ("read-operations", None)
    assert (found.documents_table, found.lines_table) == ("documents", "lines")
    assert (found.generation.version, found.read_key) == ("v3.2", None)
    assert found.give_up_after == timedelta(hours=6)
    assert found.blob_trigger_source == "LogsAndContainerScan"


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DocumentStorage", "", "connection string"),
        ("DocumentStorage", "devstoreaccount1", "DefaultEndpointsProtocol=https;AccountName="),
        ("READ_ENDPOINT", "", "https://NAME.cognitiveservices.azure.com"),
        ("READ_ENDPOINT", "localhost:5000", "http://localhost:5000"),
        ("READ_ENDPOINT", "ftp://host", "http(s) URL"),
        ("READ_ENDPOINT", "https://", "http(s) URL"),
        ("READ_ENDPOINT", "https://host:port", "not a URL"),
        ("READ_ENDPOINT", "https://[::1", "not a URL"),
        ("READ_ENDPOINT", "https://key@host", "no query, fragment or user name"),
        ("READ_ENDPOINT", "https://host?key=1", "no query, fragment or user name"),
        ("READ_ENDPOINT", "https://host/vision/v3.2/read/analyze", "the resource's endpoint only"),
        ("READ_ENDPOINT", "https://host/formrecognizer", "the resource's endpoint only"),
        ("READ_API_VERSION", "3.2", "v3.2"),
        ("READ_API_VERSION", "v9", "v3.2"),
        ("READ_API_VERSION", "../v3_2", "v3.2"),
        ("READ_LANGUAGE", "English!", "zh-Hans"),
        ("READ_PAGES", "one", "1,3-5"),
        ("READ_PAGES", "5-1", "1,3-5"),
        ("READ_MODEL_VERSION", "newest", "2022-04-30"),
        ("READ_READING_ORDER", "up", "natural"),
        ("READ_FEATURES", "languages", "2023-07-31 and 2024-11-30"),
        ("READ_KEY", "@Microsoft.KeyVault(SecretUri=https://x.vault.azure.net/secrets/key)", "Key Vault Secrets User"),
        ("INPUT_CONTAINER", "In_Box", "3 to 63 of a-z, 0-9 and single hyphens"),
        ("INPUT_CONTAINER", "a--b", "single hyphens"),
        ("OUTPUT_CONTAINER", "x", "3 to 63 of a-z, 0-9 and single hyphens"),
        ("OUTPUT_CONTAINER", "inbox", "its own output for ever"),
        ("READ_QUEUE", "Queue", "3 to 63 of a-z, 0-9 and single hyphens"),
        ("DONE_QUEUE", "no_underscores", "3 to 63 of a-z, 0-9 and single hyphens"),
        ("DOCUMENTS_TABLE", "my-table", "letters and digits, a letter first"),
        ("LINES_TABLE", "1st", "letters and digits, a letter first"),
        ("READ_GIVE_UP_AFTER", "6 hours", "hours:minutes:seconds"),
        ("READ_GIVE_UP_AFTER", "00:00:00", "hours:minutes:seconds"),
        ("READ_FILES_FROM", "yesterday", "2026-11-22T00:00:00Z"),
        ("DOCUMENTS_TABLE", "Tables", "Azure keeps for itself"),
        ("LINES_TABLE", "Documents", "also DOCUMENTS_TABLE"),
        ("INPUT_PREFIX", "50%/", "scans/2026"),
        ("INPUT_PREFIX", "{year}", "scans/2026"),
        ("INPUT_PREFIX", "a\\b", "scans/2026"),
        ("INPUT_PREFIX", "../x", "scans/2026"),
        ("INPUT_PREFIX", "a\nb", "scans/2026"),
        ("READ_KEY", '"abc"', "quotation marks"),
        ("FIND_MISSED_SCHEDULE", "a b c d e f", "six fields"),
        ("FIND_MISSED_SCHEDULE", "0 0 25 * * *", "six fields"),
        ("FIND_MISSED_SCHEDULE", "0 0 3 * *", "six fields"),
        ("FIND_MISSED_SCHEDULE", "0 0 3 0 * *", "six fields"),
        ("FIND_MISSED_SCHEDULE", "0 */0 3 * * *", "six fields"),
        ("FIND_MISSED_SCHEDULE", "0 30-10 3 * * *", "six fields"),
        ("FIND_MISSED_SCHEDULE", "%MISSED%", "six fields"),
        ("AzureFunctionsJobHost__extensions__queues__messageEncoding", "none", "base64"),
        ("AZUREFUNCTIONSJOBHOST__EXTENSIONS__QUEUES__MESSAGEENCODING", "None", "base64"),
        ("AzureFunctionsJobHost__functionTimeout", "-1", "never without a limit"),
        ("AzureFunctionsJobHost__FunctionTimeout", "2.00:00:00", "at most 1.00:00:00"),
        ("AzureFunctionsJobHost__functionTimeout", "00:00:09", "at least 00:00:10"),
        ("AzureFunctionsJobHost__functionTimeout", "an hour", "HH:MM:SS"),
        ("BLOB_TRIGGER_SOURCE", "Webhook", "LogsAndContainerScan, EventGrid"),
    ],
)
def test_a_wrong_setting_is_named_with_the_expected_form_of_its_value(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(**{name: value})
    assert name.lower() in str(error.value).lower()
    assert expected in str(error.value)


@pytest.mark.parametrize(
    "schedule", ["0 0 3 * * *", "*/30 0-10/2 1,13 1-15 Jan-Mar Mon-Fri", "0 0 0 1 1 0", "5/10 * * * dec 6"]
)
def test_a_schedule_that_the_host_accepts_is_accepted(schedule: str) -> None:
    assert read(FIND_MISSED_SCHEDULE=schedule).find_missed_schedule == schedule


@pytest.mark.parametrize("name", ["READ_KEY", "READ_ENDPOINT", "DocumentStorage", "AzureWebJobsStorage", "MY_OWN"])
@pytest.mark.parametrize(
    "value",
    [
        "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x)",
        "@Microsoft.AppConfiguration(Endpoint=https://x; Key=y)",
    ],
)
def test_an_unresolved_key_vault_reference_is_named_and_not_used_as_a_value(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is a Key Vault or App Configuration reference"):
        read(**{name: value})


@pytest.mark.parametrize("absent", sorted(LEAST))
def test_a_missing_setting_is_named(absent: str) -> None:
    with pytest.raises(SettingsError, match=f"{absent} is not set"):
        settings.from_environment({name: value for name, value in LEAST.items() if name != absent})


@pytest.mark.parametrize(
    "name",
    [
        "INPUT_CONTAINER",
        "OUTPUT_CONTAINER",
        "READ_QUEUE",
        "DONE_QUEUE",
        "DOCUMENTS_TABLE",
        "READ_API_VERSION",
    ],
)
def test_an_empty_setting_counts_as_absent(name: str) -> None:
    assert read(**{name: ""}) == read()


def test_no_error_shows_a_connection_string_or_a_key() -> None:
    with pytest.raises(SettingsError) as error:
        settings.from_environment({"DocumentStorage": "AccountKey=secret", "READ_KEY": "secret"})
    assert "secret" not in str(error.value)


# Storage


def storage(environ: Mapping[str, str]) -> settings.StorageConnection:
    return settings.from_environment({"READ_ENDPOINT": "http://r", **environ}).storage


def test_a_connection_string_overrides_an_identity() -> None:
    found = storage({"DocumentStorage": "AccountName=a;AccountKey=a2V5", "DocumentStorage__accountName": "other"})
    assert found.connection_string == "AccountName=a;AccountKey=a2V5"


def test_with_an_identity_the_name_of_the_account_is_enough() -> None:
    found = storage({"DocumentStorage__accountName": "acc", "DocumentStorage__clientId": "id"})
    assert found == settings.StorageConnection(
        blob_url="https://acc.blob.core.windows.net",
        queue_url="https://acc.queue.core.windows.net",
        table_url="https://acc.table.core.windows.net",
        client_id="id",
    )


def test_each_service_can_have_its_own_url() -> None:
    urls = {f"DocumentStorage__{service}ServiceUri": f"https://{service}/" for service in ("blob", "queue", "table")}
    found = storage(urls)
    assert (found.blob_url, found.queue_url, found.table_url) == (
        "https://blob",
        "https://queue",
        "https://table",
    )


def test_a_service_without_a_url_is_an_error_that_names_the_settings() -> None:
    with pytest.raises(SettingsError, match="__tableServiceUri"):
        storage({f"DocumentStorage__{service}ServiceUri": "https://h" for service in ("blob", "queue")})


def test_a_token_is_not_sent_over_http() -> None:
    with pytest.raises(SettingsError, match="DocumentStorage__blobServiceUri must be an https URL"):
        storage({"DocumentStorage__accountName": "acc", "DocumentStorage__blobServiceUri": "http://h"})


def test_the_name_of_an_account_cannot_change_the_host() -> None:
    with pytest.raises(SettingsError, match="DocumentStorage__accountName"):
        storage({"DocumentStorage__accountName": "evil.example/x"})


# What is watched


@pytest.mark.parametrize("prefix", ["scans", "scans/", "/scans/"])
def test_a_folder_is_watched_with_or_without_its_slashes(prefix: str) -> None:
    found = read(INPUT_PREFIX=prefix)
    assert found.trigger_path == "inbox/scans/{name}"
    assert found.reads("inbox", "scans/a.pdf")
    assert not found.reads("inbox", "scans-old/a.pdf")


def test_without_a_folder_the_whole_container_is_watched() -> None:
    assert read().trigger_path == "inbox/{name}"


def test_output_that_an_event_reports_is_not_read() -> None:
    assert not read().reads("results", "a.pdf.json")


# Times


@pytest.mark.parametrize("text", ["2026-11-22T10:00:00Z", "2026-11-22T10:00:00", "2026-11-22T12:00:00+02:00"])
def test_a_time_without_a_time_zone_is_utc(text: str) -> None:
    assert read(READ_FILES_FROM=text).read_files_from == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_a_claim_outlives_any_run_of_a_function() -> None:
    found = settings.from_environment(LEAST, '{"functionTimeout": "00:10:00"}')
    assert found.claim_length > timedelta(minutes=10)


def test_the_function_timeout_can_be_overridden_as_in_the_host() -> None:
    environ = {**LEAST, "AzureFunctionsJobHost__FUNCTIONTIMEOUT": "1.00:00:00"}
    assert settings.from_environment(environ, '{"functionTimeout": "00:10:00"}').claim_length > timedelta(days=1)


def test_every_form_of_host_json_that_the_host_accepts_is_accepted() -> None:
    content = codecs.BOM_UTF8 + b'{"FunctionTimeout": "00:20",} // ours'
    assert settings.from_environment(LEAST, content).claim_length == timedelta(minutes=22)


def test_an_invalid_host_json_is_named() -> None:
    with pytest.raises(SettingsError, match=r"host\.json is not JSON"):
        settings.from_environment(LEAST, "{")


def test_without_a_function_timeout_the_hosts_longest_default_applies() -> None:
    assert settings.from_environment(LEAST, "{}").claim_length > timedelta(minutes=30)


# One document's own options


def test_a_blobs_metadata_sets_options_for_that_one_document() -> None:
    found = read(READ_LANGUAGE="en", READ_PAGES="1-3")
    options = found.options_for({"language": "de", "reading_order": "natural", "author": "x"})
    assert options.given() == {"language": "de", "pages": "1-3", "reading_order": "natural"}


def test_the_endpoints_slash_is_not_doubled() -> None:
    assert read(READ_ENDPOINT=" https://gateway/ocr/ ").read_endpoint == "https://gateway/ocr"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("READ_KEY", "ключ", id="no-header-can-carry-it"),
        pytest.param("READ_GIVE_UP_AFTER", "999999999999.00:00:00", id="longer-than-time"),
        pytest.param("READ_QUEUE", "done", id="one-queue-for-both"),
    ],
)
def test_a_setting_that_could_only_fail_later_is_refused_at_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read(**{"DONE_QUEUE": "done", name: value})


def test_white_space_around_a_pasted_key_is_removed() -> None:
    assert read(READ_KEY=" 0123456789abcdef\n").read_key == "0123456789abcdef"


@pytest.mark.parametrize("value", ["languages", "languages,barcodes", "ocrHighResolution,formulas,styleFont"])
@pytest.mark.parametrize("version", ["2023-07-31", "2024-11-30"])
def test_add_ons_are_requested_by_name(version: str, value: str) -> None:
    found = read(READ_API_VERSION=version, READ_FEATURES=value)
    assert f"features={value.replace(',', '%2C')}" in found.generation.query(found.read_options)


@pytest.mark.parametrize("value", ["all", "languages,", "languages, barcodes", "keyValuePairs"])
def test_an_unknown_add_on_is_refused_with_the_known_ones(value: str) -> None:
    with pytest.raises(SettingsError, match="ocrHighResolution"):
        read(READ_API_VERSION="2024-11-30", READ_FEATURES=value)


@pytest.mark.parametrize(
    ("prefix", "noticed"),
    [
        ("", False),
        ("scans/2026", False),
        ("inbox-2", False),
        ("scans/inbox", False),
        ("inbox", True),
        ("inbox/a", True),
    ],
)
def test_a_prefix_that_repeats_the_container_is_accepted_with_a_notice(prefix: str, *, noticed: bool) -> None:
    found = read(INPUT_PREFIX=prefix)
    assert bool(found.notice) is noticed
    assert found.notice is None or "INPUT_PREFIX" in found.notice
