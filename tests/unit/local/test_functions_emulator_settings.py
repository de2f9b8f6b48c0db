"""App settings and host.json."""

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from local.functions_emulator.host_json import load_host_options
from local.functions_emulator.settings import HostError, host_id, load_app_settings, resolve


def host_json(folder: Path, **sections: object) -> Path:
    (folder / "host.json").write_text(json.dumps({"version": "2.0", **sections}))
    return folder


def queues(**values: object) -> dict[str, object]:
    return {"extensions": {"queues": values}}


def settings_file(folder: Path, text: str) -> Path:
    path = folder / "local.settings.json"
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_values_of_the_settings_file_become_environment_variables(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    load_app_settings(settings_file(tmp_path, '{"IsEncrypted": false, "Values": {"A": "1"}}'), environ)
    assert environ == {"A": "1"}


def test_the_environment_overrides_the_settings_file(tmp_path: Path) -> None:
    environ = {"A": "real", "B": ""}
    load_app_settings(settings_file(tmp_path, '{"Values": {"A": "file", "B": "file"}}'), environ)
    assert environ == {"A": "real", "B": ""}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "JSON object"),
        ('{"IsEncrypted": true}', "encrypted"),
        ('{"Values": {"A": 1}}', "names and texts"),
        ('{"Values": []}', "names and texts"),
    ],
)
def test_an_unusable_settings_file_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(HostError, match=said):
        load_app_settings(settings_file(tmp_path, text), {})


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot be read: No such file"):
        load_app_settings(tmp_path / "none.json", {})


def test_without_extensions_the_real_hosts_defaults_apply(tmp_path: Path) -> None:
    options = load_host_options(host_json(tmp_path), {}, processors=4)
    assert options.queues.batch_size == 16
    assert options.queues.new_batch_threshold == 32  # batchSize / 2 for each processor
    assert options.queues.max_polling_interval == 60
    assert options.queues.visibility_timeout == 0
    assert options.queues.max_dequeue_count == 5
    assert options.queues.message_encoding == "base64"
    assert options.blobs.max_degree_of_parallelism == 32  # 8 for each processor
    assert options.blobs.poison_blob_threshold == 5
    assert options.function_timeout == timedelta(minutes=30)


def test_in_development_the_longest_wait_is_2_seconds_unless_it_is_set(tmp_path: Path) -> None:
    development = {"AZURE_FUNCTIONS_ENVIRONMENT": "Development"}
    assert load_host_options(host_json(tmp_path), development).queues.max_polling_interval == 2
    app = host_json(tmp_path, **queues(maxPollingInterval="00:00:05"))
    assert load_host_options(app, development).queues.max_polling_interval == 5


def test_host_json_ignores_case(tmp_path: Path) -> None:
    app = host_json(tmp_path, Extensions={"Queues": {"BATCHSIZE": 3, "messageEncoding": "None"}})
    options = load_host_options(app, {})
    assert (options.queues.batch_size, options.queues.message_encoding) == (3, "none")


def test_the_environment_overrides_host_json(tmp_path: Path) -> None:
    app = host_json(tmp_path, **queues(batchSize=3, maxDequeueCount=2))
    environ = {
        "AzureFunctionsJobHost__extensions__queues__batchSize": "7",
        "AzureFunctionsJobHost__extensions__blobs__maxDegreeOfParallelism": "1",
    }
    options = load_host_options(app, environ)
    assert (options.queues.batch_size, options.queues.max_dequeue_count) == (7, 2)
    assert options.blobs.max_degree_of_parallelism == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batchSize", 33),
        ("batchSize", 0),
        ("batchSize", "many"),
        ("newBatchThreshold", -1),
        ("maxDequeueCount", 0),
        ("maxPollingInterval", "00:00:00.050"),
        ("maxPollingInterval", 250),
        ("visibilityTimeout", "30"),
        ("messageEncoding", "utf8"),
    ],
)
def test_a_value_that_the_real_host_refuses_is_refused_and_named(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(HostError, match=f"extensions.queues.{name}"):
        load_host_options(host_json(tmp_path, **queues(**{name: value})), {})


def test_a_function_timeout_of_minus_one_means_no_limit(tmp_path: Path) -> None:
    assert load_host_options(host_json(tmp_path, functionTimeout="-1"), {}).function_timeout is None
    assert load_host_options(host_json(tmp_path, functionTimeout="00:10:00"), {}).function_timeout == timedelta(
        minutes=10
    )


def test_log_levels_are_read_by_category(tmp_path: Path) -> None:
    app = host_json(tmp_path, logging={"logLevel": {"default": "Warning", "Function.poll": "None"}})
    assert load_host_options(app, {}).log_levels == {"default": logging.WARNING, "function.poll": 60}


def test_an_unknown_log_level_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"logLevel\.default is 'Loud'"):
        load_host_options(host_json(tmp_path, logging={"logLevel": {"default": "Loud"}}), {})


def test_a_folder_without_host_json_is_not_an_app(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"has no host\.json"):
        load_host_options(tmp_path, {})


def test_host_json_must_have_version_2(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text("{}")
    with pytest.raises(HostError, match="version"):
        load_host_options(tmp_path, {})


@pytest.mark.parametrize(
    ("parallel", "batch_size", "threshold"), [(1, 1, 0), (2, 2, 0), (8, 5, 3), (16, 9, 7), (64, 32, 32), (100, 32, 68)]
)
def test_the_blob_triggers_parallelism_is_split_into_batch_and_threshold(
    tmp_path: Path, parallel: int, batch_size: int, threshold: int
) -> None:
    app = host_json(tmp_path, extensions={"blobs": {"maxDegreeOfParallelism": parallel, "poisonBlobThreshold": 2}})
    options = load_host_options(app, {})
    internal = options.blobs.queue_options(options.queues)
    assert (internal.batch_size, internal.new_batch_threshold) == (batch_size, threshold)
    assert (internal.max_dequeue_count, internal.visibility_timeout) == (2, 0)


def test_app_settings_between_percent_signs_are_resolved() -> None:
    assert resolve("%IN%/{name}-%X%", {"IN": "inbox", "X": "1"}) == "inbox/{name}-1"


def test_a_missing_app_setting_is_named() -> None:
    with pytest.raises(HostError, match="set IN as an app setting"):
        resolve("%IN%/{name}", {})


def test_a_host_id_is_stable_for_a_folder_and_differs_between_folders(tmp_path: Path) -> None:
    first = host_id(tmp_path / "a", None, {})
    assert first == host_id(tmp_path / "a", None, {})
    assert first != host_id(tmp_path / "b", None, {})
    assert len(first) <= 32


def test_a_given_host_id_overrides_the_one_in_the_settings() -> None:
    environ = {"AzureFunctionsWebHost__hostid": "from-setting"}
    assert host_id(Path(), None, environ) == "from-setting"
    assert host_id(Path(), "given", environ) == "given"


@pytest.mark.parametrize("given", ["Upper", "a" * 33, "-a", "a-", "a--b", "ä"])
def test_a_host_id_that_cannot_be_part_of_a_queue_name_is_refused(given: str) -> None:
    with pytest.raises(HostError, match="host id"):
        host_id(Path(), given, {})
