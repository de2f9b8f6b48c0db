"""The identity that the app uses without a key, and that a process creates each client once."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from shared.clouds import CLOUDS, PUBLIC
from shared.identity import credential
from tests.support.markdown import ROOT

BURST = """
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
import function_app

together = Barrier(24)
def first_event(_):
    together.wait()
    return function_app._services()

with ThreadPoolExecutor(24) as threads:
    print(len({id(services) for services in threads.map(first_event, range(24))}))
"""


def test_with_a_client_id_only_that_managed_identity_is_tried() -> None:
    assert isinstance(credential("22222222-2222-2222-2222-222222222222"), ManagedIdentityCredential)


def test_without_a_client_id_the_system_identity_or_a_developers_sign_in_is_used() -> None:
    assert isinstance(credential(None), DefaultAzureCredential)


def test_all_clients_share_one_credential() -> None:
    assert credential("a") is credential("a")


def test_a_burst_on_a_cold_process_creates_the_services_once() -> None:
    settings = {"DocumentStorage": "UseDevelopmentStorage=true", "READ_ENDPOINT": "http://127.0.0.1:5000"}
    ran = subprocess.run(  # noqa: S603 - this very Python
        [sys.executable, "-c", BURST], capture_output=True, text=True, check=True, cwd=ROOT, env=settings
    )
    assert ran.stdout.split()[-1] == "1"


def test_threads_that_start_at_once_share_one_credential() -> None:
    with ThreadPoolExecutor(24) as threads:
        found = list(threads.map(lambda _: credential("threads", PUBLIC), range(24)))
    assert len({id(each) for each in found}) == 1


def test_each_identity_and_each_cloud_has_its_own() -> None:
    found = [credential(client, cloud) for client in (None, "a", "b") for cloud in (None, *CLOUDS)]
    assert len({id(each) for each in found}) == 12
