"""The app with exactly the settings that infra/ gives it: two storage accounts over https, no key anywhere.

Azurite takes Microsoft Entra tokens (``--oauth basic``) and offers its services over https alone; the identity's
endpoint is played as Azure Functions offers it (IDENTITY_ENDPOINT). The Functions emulator is the host.
"""

import base64
import ipaddress
import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.functions_emulator.keys import FUNCTION_KEY
from local.processes import Azurite, FunctionsEmulator, ReadEmulator, azurite_installation
from tests.infra.conftest import ROOT, Predicted

CLIENT_ID = "22222222-2222-2222-2222-222222222222"
HEADER = "the-instances-own"


class Identity:
    """The endpoint at which a function app gets its identity's tokens; it keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        identity = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
                allowed = self.headers.get("X-IDENTITY-HEADER") == HEADER
                identity.asked.append((query.get("client_id", ""), query.get("resource", "")))
                until = int(time.time()) + 3600
                body = {
                    "access_token": token(query.get("resource", "")),
                    "expires_on": str(until),
                    "resource": query.get("resource", ""),
                    "token_type": "Bearer",
                    "client_id": query.get("client_id", ""),
                }
                payload = json.dumps(body if allowed else {}).encode()
                self.send_response(200 if allowed else 401)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/msi/token"

    def __enter__(self) -> Self:
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Deployed:
    """A deployment on this machine."""

    azurite: Azurite
    host: FunctionsEmulator
    identity: Identity
    certificate: Path
    output: list[str] = field(default_factory=list)

    def client(self, kind: Any, service: int) -> Any:
        """A client of the documents' account that signs in."""
        return kind(
            f"{self.azurite.found[service]}/documents", credential=Someone(), connection_verify=str(self.certificate)
        )


class Someone:
    """A person who is signed in."""

    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken(token("https://storage.azure.com"), int(time.time()) + 3600)


def token(resource: str) -> str:
    """A token as Azurite's basic check takes it: issuer, audience and times are checked, the signature is not."""
    now = int(time.time())
    claims = {
        "aud": resource.rstrip("/"),
        "iss": "https://sts.windows.net/33333333-3333-3333-3333-333333333333/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + 3600,
    }
    parts = (json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts), "signature"])


def certify(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def deployed(
    default: Predicted, app_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployed]:
    """The app of this repository with the settings of a deployment; what only Azure knows is of this machine."""
    if azurite_installation() is None:
        pytest.skip("Azurite is not installed: `python3 dev.py test` installs it and runs all tests")
    folder = tmp_path_factory.mktemp("deployed")
    certificate, key = certify(folder)
    secret = base64.b64encode(b"nobody has it, and nobody needs it").decode()
    accounts = {**os.environ, "AZURITE_ACCOUNTS": f"host:{secret};documents:{secret}"}
    secure = ("--oauth", "basic", "--cert", str(certificate), "--key", str(key))
    output: list[str] = []
    with (
        Identity() as identity,
        Azurite(None, *secure, logs=folder, environment=accounts) as azurite,
        ReadEmulator(logs=folder) as read,
    ):
        settings = dict(default.app_settings)
        for connection, account in (("AzureWebJobsStorage", "host"), ("DocumentStorage", "documents")):
            settings[f"{connection}__clientId"] = CLIENT_ID
            for service, url in zip(("blob", "queue", "table"), azurite.found, strict=True):
                settings[f"{connection}__{service}ServiceUri"] = f"{url}/{account}/"
        settings["READ_ENDPOINT"] = read.endpoint
        azures_own = {"IDENTITY_ENDPOINT": identity.url, "IDENTITY_HEADER": HEADER}
        machine = {"REQUESTS_CA_BUNDLE": str(certificate)}
        environment = {**app_environment, **settings, **azures_own, **machine}
        blobs = BlobServiceClient(
            f"{azurite.found[0]}/documents", credential=Someone(), connection_verify=str(certificate)
        )
        for resource in default.of_type("Microsoft.Storage/storageAccounts/blobServices/containers"):
            account, _, container = resource["name"].split("/")
            if account.startswith("stdocs"):
                blobs.create_container(container)
        with FunctionsEmulator(settings=environment, logs=folder, echo=output.append) as host:
            yield Deployed(azurite, host, identity, certificate, output)


def test_a_file_is_read_with_the_settings_of_a_deployment(deployed: Deployed) -> None:
    name = "photo.jpg"
    blobs = deployed.client(BlobServiceClient, 0)
    with (ROOT / "samples" / name).open("rb") as file:
        blobs.get_blob_client("inbox", name).upload_blob(file)
    told = requests.post(
        f"{deployed.host.url}/admin/functions/submit_document", json={"input": f"inbox/{name}"}, timeout=30
    )
    assert told.status_code == 202
    documents = deployed.client(TableServiceClient, 2).get_table_client("documents")
    row = until_ended(documents, name, deployed)
    assert (row["Status"], row["ApiVersion"]) == ("succeeded", "2024-11-30")
    assert row["Text"]
    assert blobs.get_blob_client("results", f"{name}.txt").download_blob().readall()


def test_check_finds_nothing_wrong_with_the_settings_of_a_deployment(deployed: Deployed) -> None:
    answer = requests.get(
        f"{deployed.host.url}/api/check", headers={"x-functions-key": FUNCTION_KEY}, timeout=120
    ).json()
    assert len(answer["value"]) > 5
    assert [finding for finding in answer["value"] if not finding["ok"]] == []


def test_the_log_has_the_lines_that_queries_look_for(deployed: Deployed) -> None:
    assert any('{"event": "ended"' in line and '"status": "succeeded"' in line for line in deployed.output)


def test_every_token_belongs_to_the_one_identity(deployed: Deployed) -> None:
    assert {client for client, _ in deployed.identity.asked} == {CLIENT_ID}
    assert {resource.rstrip("/") for _, resource in deployed.identity.asked} == {"https://storage.azure.com"}


def until_ended(documents: Any, name: str, deployed: Deployed) -> dict[str, Any]:
    """The document's row once its status is final, within two minutes."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        with suppress(ResourceNotFoundError):  # the app makes its tables when it first writes
            rows = list(documents.query_entities("RowKey eq @name", parameters={"name": name}))
            if rows and rows[0]["Status"] in ("succeeded", "failed", "ignored"):
                return dict(rows[0])
        time.sleep(1)
    raise AssertionError("the document did not end; the host said:\n" + "".join(deployed.output[-40:]))
