"""infra/: what is deployed matches what the app needs and what Flex Consumption accepts."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared import settings
from tests.infra.conftest import FREE, INFRA, NOW, ROOT, Predicted

HOSTS_OWN = {
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "DocumentStorage__credential",
    *(
        f"AzureWebJobsStorage__{field}"
        for field in ("blobServiceUri", "queueServiceUri", "tableServiceUri", "credential", "clientId")
    ),
}
"""Settings that the Functions host or its worker reads, and the app does not."""

REFUSED_ON_FLEX = re.compile(
    # https://learn.microsoft.com/azure/azure-functions/functions-app-settings#flex-consumption-plan-deprecations
    r"ENABLE_ORYX_BUILD|FUNCTIONS_(EXTENSION_VERSION|WORKER_RUNTIME|WORKER_RUNTIME_VERSION|MAX_HTTP_CONCURRENCY"
    r"|WORKER_PROCESS_COUNT|WORKER_DYNAMIC_CONCURRENCY_ENABLED)|SCM_DO_BUILD_DURING_DEPLOYMENT|TZ|WEBSITE_.*"
)

EVALUATED_BY_AZURE = re.compile(r"^\[")


class Recorded(dict[str, str]):
    """An environment that records which variables were read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> str:
        self.asked.add(key)
        return super().__getitem__(key)


def as_deployed(app_settings: Mapping[str, str]) -> dict[str, str]:
    """App settings as Azure would show them to the app: what only Azure can evaluate has a value of that kind."""
    known = {"READ_ENDPOINT": "https://read-x.cognitiveservices.azure.com/"}
    for connection in ("AzureWebJobsStorage", "DocumentStorage"):
        known[f"{connection}__clientId"] = "22222222-2222-2222-2222-222222222222"
        for service in ("blob", "queue", "table"):
            known[f"{connection}__{service}ServiceUri"] = f"https://account.{service}.core.windows.net/"
    return {
        name: known.get(name, "evaluated") if EVALUATED_BY_AZURE.match(value) else value
        for name, value in app_settings.items()
    }


def test_the_template_builds_and_lints_without_a_warning(
    built: Mapping[str, Any], said_by_the_compiler: list[str]
) -> None:
    assert set(built) == {"main", "subscription"}
    # Whether API versions are recent depends on today's date, so that rule only informs.
    assert [line for line in said_by_the_compiler if " : Info use-recent-api-" not in line] == []


def test_every_linter_rule_is_an_error_except_those_named_here() -> None:
    rules = json.loads((INFRA / "bicepconfig.json").read_text())["analyzers"]["core"]["rules"]
    others = {name: rule["level"] for name, rule in rules.items() if rule["level"] != "error"}
    assert others == {
        "no-module-name": "off",  # names of nested deployments are made by the compiler
        "use-user-defined-types": "off",
        "use-recent-api-versions": "info",  # a template that deploys today must still build in two years
    }


def test_no_module_comes_from_a_registry() -> None:
    for file in INFRA.glob("*.bicep"):
        assert not re.search(r"'(br|ts)[:/]", file.read_text(encoding="utf-8")), file


def test_the_app_starts_with_the_settings_of_each_deployment(default: Predicted, biggest: Predicted) -> None:
    host_json = (ROOT / "host.json").read_text(encoding="utf-8")
    found = settings.from_environment(as_deployed(default.app_settings), host_json)
    assert (found.generation.version, found.blob_trigger_source) == ("2024-11-30", "EventGrid")
    found = settings.from_environment(as_deployed(biggest.app_settings), host_json)
    assert (found.generation.version, found.input_prefix, found.done_queue) == ("v3.2", "scans/2026/", "done")


def test_every_deployed_setting_is_read_by_somebody(default: Predicted, biggest: Predicted) -> None:
    for deployment in (default, biggest):
        environ = Recorded(as_deployed(deployment.app_settings))
        settings.from_environment(environ)
        assert set(environ) <= environ.asked | HOSTS_OWN


def test_every_parameter_that_is_a_setting_reaches_the_app(biggest: Predicted) -> None:
    given = biggest.app_settings
    assert given["READ_LANGUAGE"] == "de"
    assert given["SUBMIT_BY"] == "url"


def test_nothing_is_set_that_flex_consumption_refuses(default: Predicted, biggest: Predicted) -> None:
    for deployment in (default, biggest):
        assert [name for name in deployment.app_settings if REFUSED_ON_FLEX.fullmatch(name)] == []
        app = deployment.the("Microsoft.Web/sites")["properties"]
        assert set(app["siteConfig"]) == {"minTlsVersion"}  # alwaysOn, linuxFxVersion, ftpsState … are refused
        assert app["functionAppConfig"]["runtime"] == {"name": "python", "version": "3.13"}


def test_an_instance_has_a_thread_for_every_message_that_it_takes_at_a_time(default: Predicted) -> None:
    extensions = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["extensions"]
    messages = extensions["queues"]["batchSize"] + extensions["queues"]["newBatchThreshold"]
    files, timers, requests = extensions["blobs"]["maxDegreeOfParallelism"], 2, 10
    image = (INFRA / "container" / "Dockerfile").read_text(encoding="utf-8")
    (in_image,) = re.findall(r"PYTHON_THREADPOOL_THREAD_COUNT=(\d+)", image)
    for threads in (default.app_settings["PYTHON_THREADPOOL_THREAD_COUNT"], in_image):
        assert int(threads) >= messages + files + timers + requests


def test_the_rate_follows_the_tier(default: Predicted, biggest: Predicted, free: Predicted) -> None:
    def found(deployment: Predicted) -> tuple[str, str, str | None]:
        service = deployment.the("Microsoft.CognitiveServices/accounts")
        return service["kind"], service["sku"]["name"], deployment.app_settings.get("READ_RATE")

    assert found(default) == ("FormRecognizer", "S0", None)
    assert found(free) == ("FormRecognizer", "F0", "1/s,1/s")
    assert found(biggest) == ("ComputerVision", "F0", "20/min")


def test_a_second_deployment_does_not_move_the_time_from_which_files_are_read(
    default: Predicted, free: Predicted
) -> None:
    assert default.app_settings["READ_FILES_FROM"] == NOW  # the first: when it began
    assert free.app_settings["READ_FILES_FROM"] == FREE["readFilesFrom"]
    given = json.loads((INFRA / "main.parameters.json").read_text())["parameters"]
    assert given["readFilesFrom"]["value"] == "${READ_FILES_FROM=}"  # which is the name of the output


def test_a_second_deployment_changes_nothing(
    default: Predicted, predict: Callable[[Mapping[str, Any]], Predicted]
) -> None:
    kept = {"readFilesFrom": default.app_settings["READ_FILES_FROM"]}  # an output, which azd gives back
    assert predict({**kept, "now": "2030-01-01T00:00:00Z"}).resources == default.resources


def test_files_from_before_the_deployment_are_read_if_requested(biggest: Predicted) -> None:
    assert "READ_FILES_FROM" not in biggest.app_settings


def test_every_connection_uses_the_identity(default: Predicted, biggest: Predicted) -> None:
    for deployment in (default, biggest):
        given = deployment.app_settings
        for connection in ("AzureWebJobsStorage", "DocumentStorage"):
            assert connection not in given
            assert given[f"{connection}__credential"] == "managedidentity"
            assert "clientId" in given[f"{connection}__clientId"]
        assert "READ_KEY" not in given
        assert given["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"].endswith("clientId)]")
        package = deployment.the("Microsoft.Web/sites")["properties"]["functionAppConfig"]["deployment"]["storage"]
        assert package["authentication"]["type"] == "UserAssignedIdentity"


def test_keys_are_off_everywhere(default: Predicted, biggest: Predicted) -> None:
    for deployment in (default, biggest):
        for account in deployment.of_type("Microsoft.Storage/storageAccounts"):
            found = account["properties"]
            assert (found["allowSharedKeyAccess"], found["allowBlobPublicAccess"]) == (False, False)
            assert found["minimumTlsVersion"] == "TLS1_2"
            assert not found.get("isHnsEnabled")  # the blob trigger does not support hierarchical namespaces
        assert deployment.the("Microsoft.CognitiveServices/accounts")["properties"]["disableLocalAuth"] is True
        assert deployment.the("Microsoft.Insights/components")["properties"]["DisableLocalAuth"] is True
        policies = deployment.of_type("Microsoft.Web/sites/basicPublishingCredentialsPolicies")
        assert [policy["properties"]["allow"] for policy in policies] == [False, False]


def test_no_output_of_any_template_holds_a_secret(built: Mapping[str, Any]) -> None:
    secret = re.compile(r"list\w*\(|key|connectionstring|secret|password|sas\b", re.IGNORECASE)
    for name, output in [*outputs(built["main"]), *outputs(built["subscription"])]:
        assert not secret.search(f"{name} {json.dumps(output)}"), name


def test_the_apps_key_for_event_grid_is_in_the_subscriptions_endpoint_and_nowhere_else(
    built: Mapping[str, Any],
) -> None:
    (subscription,) = built["subscription"]["resources"]
    endpoint = subscription["properties"]["destination"]["properties"].pop("endpointUrl")
    assert "systemKeys" in endpoint
    assert not re.search(r"listkeys|systemkeys|code=", json.dumps(built), re.IGNORECASE)
    subscription["properties"]["destination"]["properties"]["endpointUrl"] = endpoint


def test_everything_that_can_be_tagged_belongs_to_the_environment(default: Predicted, biggest: Predicted) -> None:
    for deployment in (default, biggest):
        for resource in deployment.resources:
            if "location" in resource:
                assert resource["tags"]["azd-env-name"] == "dev", resource["name"]
        assert deployment.the("Microsoft.Web/sites")["tags"]["azd-service-name"] == "app"


def test_a_closed_deployment_admits_only_its_network_and_the_given_address(
    biggest: Predicted,
) -> None:
    host, documents = (
        biggest.the("Microsoft.Storage/storageAccounts", name)["properties"]["networkAcls"]
        for name in ("sthost", "stdocs")
    )
    assert (host["defaultAction"], host.get("ipRules", [])) == ("Deny", [])
    assert documents["ipRules"] == [{"action": "Allow", "value": "203.0.113.7"}]
    assert documents["bypass"] == "AzureServices"
    assert biggest.the("Microsoft.CognitiveServices/accounts")["properties"]["networkAcls"]["defaultAction"] == "Deny"
    groups = sorted(
        connection["properties"]["groupIds"][0]
        for endpoint in biggest.of_type("Microsoft.Network/privateEndpoints")
        for connection in endpoint["properties"]["privateLinkServiceConnections"]
    )
    assert groups == ["account", "blob", "blob", "queue", "queue", "table", "table"]


def test_an_open_deployment_has_no_network(default: Predicted) -> None:
    assert [resource["type"] for resource in default.resources if "Microsoft.Network/" in resource["type"]] == []


def test_browsers_upload_and_download_from_the_apps_own_origin_only(built: Mapping[str, Any]) -> None:
    rules = [
        rule
        for resource in resources(built["main"])
        if resource["type"] == "Microsoft.Storage/storageAccounts/blobServices"
        for rule in properties(resource).get("cors", {}).get("corsRules", [])
    ]
    (rule,) = rules
    assert rule["allowedOrigins"] == ["[parameters('origin')]"]
    assert set(rule["allowedMethods"]) == {"GET", "HEAD", "OPTIONS", "PUT"}
    assert {"x-ms-*", "content-type"} <= set(rule["allowedHeaders"])


def test_always_ready_instances_are_for_the_functions_that_read(biggest: Predicted, default: Predicted) -> None:
    scale = biggest.the("Microsoft.Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    assert scale["alwaysReady"] == [
        {"name": "blob", "instanceCount": 1},
        {"name": "function:poll_operation", "instanceCount": 1},
    ]
    scale = default.the("Microsoft.Web/sites")["properties"]["functionAppConfig"]["scaleAndConcurrency"]
    assert scale["alwaysReady"] == []


def test_files_expire_only_if_requested(default: Predicted, biggest: Predicted) -> None:
    enabled = []
    for deployment in (default, biggest):
        policy = deployment.the("Microsoft.Storage/storageAccounts/managementPolicies")["properties"]["policy"]
        (files,) = (rule for rule in policy["rules"] if rule["name"] == "files")
        enabled.append((files["enabled"], files["definition"]["filters"]["prefixMatch"]))
    assert enabled == [(False, ["inbox/"]), (True, ["inbox/scans/2026/"])]


def test_forgotten_data_cannot_be_restored(built: Mapping[str, Any]) -> None:
    (blobs,) = (
        resource["properties"]
        for resource in resources(built["main"])
        if resource["type"].endswith("/blobServices") and "cors" in properties(resource)
    )
    assert blobs["deleteRetentionPolicy"] == {"enabled": False}
    assert "isVersioningEnabled" not in blobs


def test_the_subscription_is_filtered_to_finished_uploads_into_the_input_folder(
    built: Mapping[str, Any],
) -> None:
    (subscription,) = (
        each for each in resources(built["subscription"]) if each["type"].endswith("/eventSubscriptions")
    )
    asked = subscription["properties"]
    events = asked["filter"]
    assert events["includedEventTypes"] == ["Microsoft.Storage.BlobCreated"]
    assert events["subjectBeginsWith"] == (
        "[format('/blobServices/default/containers/{0}/blobs/{1}', parameters('inputContainer'),"
        " parameters('inputFolder'))]"
    )
    (calls,) = events["advancedFilters"]
    assert (calls["key"], calls["operatorType"]) == ("data.api", "StringNotIn")
    assert asked["destination"]["endpointType"] == "WebHook"
    endpoint = asked["destination"]["properties"]["endpointUrl"]
    assert "functionName=Host.Functions.submit_document&code=" in endpoint
    assert "listKeys(" in endpoint
    assert asked["deadLetterWithResourceIdentity"]["identity"] == {"type": "SystemAssigned"}
    assert "deadLetterDestination" not in asked


def test_the_deployed_queues_and_tables_are_the_default_ones(biggest: Predicted) -> None:
    app = settings.from_environment(as_deployed(biggest.app_settings))
    made = {resource["name"].rpartition("/")[2] for resource in biggest.resources if "stdocs" in resource["name"]}
    assert {app.input_container, app.output_container, app.documents_table, app.lines_table, app.read_queue} <= made
    assert app.done_queue in made


def test_azds_parameters_are_the_templates_own_with_the_same_defaults(built: Mapping[str, Any]) -> None:
    given = json.loads((INFRA / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
    declared = built["main"]["parameters"]
    assert set(given) == set(declared) - {"now"}
    for name, parameter in given.items():
        value = parameter["value"]
        if isinstance(value, str) and (match := re.fullmatch(r"\$\{\w+=(.*)\}", value)):
            default = declared[name]["defaultValue"]
            assert match[1] == (json.dumps(default) if isinstance(default, bool | int) else default), name


def resources(template: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every resource of a compiled template and of those nested in it."""
    listed = template["resources"]
    for resource in listed.values() if isinstance(listed, dict) else listed:
        yield resource
        if nested := properties(resource).get("template"):
            yield from resources(nested)


def outputs(template: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every output of a compiled template and of those nested in it."""
    yield from template.get("outputs", {}).items()
    listed = template["resources"]
    for resource in listed.values() if isinstance(listed, dict) else listed:
        if nested := properties(resource).get("template"):
            yield from outputs(nested)


def properties(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's properties, unless they come from an expression."""
    found = resource.get("properties", {})
    return found if isinstance(found, dict) else {}
