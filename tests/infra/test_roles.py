"""Roles: exactly those that the app's own calls need, and those that Microsoft documents for the host's."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.data.tables import TableClient, TableServiceClient
from azure.storage.blob import BlobClient, BlobServiceClient, ContainerClient, StorageStreamDownloader
from azure.storage.queue import QueueClient, QueueServiceClient

from tests.infra.conftest import INFRA, ROOT, Predicted

SDK = (
    BlobServiceClient,
    ContainerClient,
    BlobClient,
    StorageStreamDownloader,
    QueueServiceClient,
    QueueClient,
    TableServiceClient,
    TableClient,
)

# What each operation needs, as the storage services' own pages name it ("Permissions for calling data operations").
BLOBS, QUEUES, TABLES = "blobServices/containers", "queueServices/queues", "tableServices/tables"
OPERATIONS: dict[str, frozenset[str]] = {
    "create_container": frozenset({f"{BLOBS}/write"}),
    "get_container_properties": frozenset({f"{BLOBS}/read"}),
    "get_user_delegation_key": frozenset({"blobServices/generateUserDelegationKey/action"}),
    "list_blobs": frozenset({f"{BLOBS}/blobs/read"}),
    "list_blob_names": frozenset({f"{BLOBS}/blobs/read"}),
    "download_blob": frozenset({f"{BLOBS}/blobs/read"}),
    "get_blob_properties": frozenset({f"{BLOBS}/blobs/read"}),
    "exists": frozenset({f"{BLOBS}/blobs/read"}),
    "upload_blob": frozenset({f"{BLOBS}/blobs/write"}),
    "stage_block": frozenset({f"{BLOBS}/blobs/write"}),
    "commit_block_list": frozenset({f"{BLOBS}/blobs/write"}),
    "set_blob_metadata": frozenset({f"{BLOBS}/blobs/write"}),
    "delete_blob": frozenset({f"{BLOBS}/blobs/delete"}),
    "create_queue": frozenset({f"{QUEUES}/write"}),
    "get_queue_properties": frozenset({f"{QUEUES}/read"}),
    "send_message": frozenset({f"{QUEUES}/messages/add/action"}),
    "receive_messages": frozenset({f"{QUEUES}/messages/process/action"}),
    "delete_message": frozenset({f"{QUEUES}/messages/process/action"}),
    "update_message": frozenset({f"{QUEUES}/messages/write"}),
    "peek_messages": frozenset({f"{QUEUES}/messages/read"}),
    "create_table": frozenset({f"{TABLES}/write"}),
    "create_entity": frozenset({f"{TABLES}/entities/add/action"}),
    "get_entity": frozenset({f"{TABLES}/entities/read"}),
    "query_entities": frozenset({f"{TABLES}/entities/read"}),
    "list_entities": frozenset({f"{TABLES}/entities/read"}),
    "update_entity": frozenset({f"{TABLES}/entities/update/action"}),
    "upsert_entity": frozenset({f"{TABLES}/entities/write"}),
    "delete_entity": frozenset({f"{TABLES}/entities/delete"}),
    "submit_transaction": frozenset(
        {f"{TABLES}/entities/{operation}" for operation in ("add/action", "update/action", "write", "delete")}
    ),
}
INSTEAD = {f"{QUEUES}/messages/add/action": f"{QUEUES}/messages/write"}
"""Permissions that another one can replace, by the services' pages."""

NO_REQUEST = {
    "from_connection_string", "get_blob_client", "get_container_client", "get_queue_client", "get_table_client",
    "api_version", "url", "close", "chunks", "read", "readall", "readinto",
}  # fmt: skip
"""The SDK's methods that make no request of their own."""

ROLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": ("Storage Blob Data Reader", (
        f"{BLOBS}/read", f"{BLOBS}/blobs/read", "blobServices/generateUserDelegationKey/action",
    )),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": ("Storage Blob Data Contributor", (
        f"{BLOBS}/(read|write|delete)", f"{BLOBS}/blobs/(read|write|delete|move/action|add/action)",
        "blobServices/generateUserDelegationKey/action",
    )),
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": ("Storage Blob Data Owner", (
        f"{BLOBS}/.*", "blobServices/generateUserDelegationKey/action",
    )),
    "19e7f393-937e-4f77-808e-94535e297925": ("Storage Queue Data Reader", (
        f"{QUEUES}/read", f"{QUEUES}/messages/read",
    )),
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": ("Storage Queue Data Message Sender", (f"{QUEUES}/messages/add/action",)),
    "8a0f0c08-91a1-4084-bc3d-661d67233fed": ("Storage Queue Data Message Processor", (
        f"{QUEUES}/messages/(read|process/action)",
    )),
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": ("Storage Queue Data Contributor", (
        f"{QUEUES}/(read|write|delete)", f"{QUEUES}/messages/(read|write|delete|process/action)",
    )),
    "76199698-9eea-4c19-bc75-cec21354c6b6": ("Storage Table Data Reader", (
        f"{TABLES}/read", f"{TABLES}/entities/read",
    )),
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": ("Storage Table Data Contributor", (
        f"{TABLES}/(read|write|delete)", f"{TABLES}/entities/(read|write|delete|add/action|update/action)",
    )),
    "a97b65f3-24c7-4388-baec-2e87135dc908": ("Cognitive Services User", ("CognitiveServices/.*",)),
    "3913510d-42f4-4e42-8a64-420c390055eb": ("Monitoring Metrics Publisher", ("Insights/Telemetry/Write",)),
}  # fmt: skip
"""Built-in roles by id: name, and patterns of what they allow of the above. Each service's are in rising order.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

DOCUMENTED = {
    # https://learn.microsoft.com/azure/azure-functions/functions-reference#connecting-to-host-storage-with-an-identity
    # (Storage Account Contributor, which it lists for blob triggers, is for the scanning trigger's logs.)
    "host": {
        "Storage Blob Data Owner",  # package, locks, keys, timers
        "Storage Queue Data Contributor",  # blob triggers
        "Storage Table Data Contributor",  # diagnostic events
    },
    # https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-blob-trigger (identity-based
    # connections), …-queue-trigger
    "documents": {"Storage Blob Data Owner", "Storage Queue Data Contributor"},
    # https://learn.microsoft.com/azure/azure-functions/functions-app-settings#applicationinsights_authentication_string
    "insights": {"Monitoring Metrics Publisher"},
    # https://learn.microsoft.com/azure/event-grid/managed-service-identity: a dead-letter destination
    "deadletter": {"Storage Blob Data Contributor"},
}
"""What Microsoft documents for calls that are not the app's own, by where."""


@pytest.fixture(scope="module")
def operations() -> set[str]:
    """The SDK's methods that the app calls."""
    public = {name for client in SDK for name, _ in inspect.getmembers(client) if not name.startswith("_")}
    return {name for name in called(ROOT / "shared") | called(ROOT / "web") if name in public} - NO_REQUEST


def test_the_permission_for_every_call_of_storage_is_known(operations: set[str]) -> None:
    assert operations - set(OPERATIONS) == set()


def test_the_app_has_the_least_roles_that_its_calls_and_its_host_need(default: Predicted, operations: set[str]) -> None:
    needed = {permission for operation in operations for permission in OPERATIONS[operation]}
    assert assigned(default, "ServicePrincipal") == {
        "host": DOCUMENTED["host"],
        "documents": DOCUMENTED["documents"] | least(needed, DOCUMENTED["documents"]),
        "read": least({"CognitiveServices/accounts/ComputerVision/read"}, set()),
        "insights": DOCUMENTED["insights"],
        "deadletter": DOCUMENTED["deadletter"],
    }


def test_the_deploying_person_has_the_least_roles_for_the_operators_commands(
    biggest: Predicted, operations: set[str]
) -> None:
    needed = {permission for operation in operations for permission in OPERATIONS[operation]}
    assert assigned(biggest, None) == {"documents": least(needed, set())}


def test_without_a_named_person_nobody_else_gets_roles(default: Predicted) -> None:
    assert assigned(default, None) == {}


def test_comments_next_to_role_ids_have_the_right_names() -> None:
    for file in ("roles.bicep", "events.bicep"):
        for role, name in re.findall(r"'([0-9a-f-]{36})' // (.+)", (INFRA / file).read_text(encoding="utf-8")):
            assert ROLES[role][0] == name


def least(needed: set[str], given: set[str]) -> set[str]:
    """The least roles that allow what is needed and the given ones do not, one a service."""
    missing = {permission for permission in needed if not any(allows(role, permission) for role in given)}
    roles = set()
    for service in {permission.partition("/")[0] for permission in missing}:
        wanted = {permission for permission in missing if permission.startswith(f"{service}/")}
        roles.add(next(name for name, _ in ROLES.values() if all(allows(name, permission) for permission in wanted)))
    return roles


def allows(role: str, permission: str) -> bool:
    (patterns,) = (patterns for name, patterns in ROLES.values() if name == role)
    enough = (permission, INSTEAD.get(permission, permission))
    return any(re.fullmatch(pattern, each) for pattern in patterns for each in enough)


def assigned(deployment: Predicted, principal_type: str | None) -> dict[str, set[str]]:
    """Names of roles by where they are given; None for who deploys, whose type is not said."""
    found: dict[str, set[str]] = {}
    for assignment in deployment.of_type("Microsoft.Authorization/roleAssignments"):
        properties = assignment["properties"]
        if properties.get("principalType") == principal_type:
            role = properties["roleDefinitionId"].rpartition("/")[2].rstrip("')]")
            found.setdefault(where(assignment), set()).add(ROLES[role][0])
    return found


def where(assignment: dict[str, Any]) -> str:
    scope = str(assignment.get("scope") or assignment["id"])
    marks = {"/containers/deadletter": "deadletter", "/sthost": "host", "/stdocs": "documents",
             "Microsoft.CognitiveServices/": "read", "Microsoft.Insights/": "insights"}  # fmt: skip
    return next(name for mark, name in marks.items() if mark in scope)


def called(folder: Path) -> set[str]:
    """The names of all methods that the Python files of a folder call, or pass on to be called."""
    return {name for file in folder.rglob("*.py") for name in _attributes(file)}


def _attributes(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
