"""One credential for each identity and cloud."""

from concurrent.futures import ThreadPoolExecutor

from shared.clouds import CLOUDS, PUBLIC
from shared.identity import credential


def test_threads_that_start_at_once_share_one_credential() -> None:
    with ThreadPoolExecutor(24) as threads:
        found = list(threads.map(lambda _: credential("threads", PUBLIC), range(24)))
    assert len({id(each) for each in found}) == 1


def test_each_identity_and_each_cloud_has_its_own() -> None:
    found = [credential(client, cloud) for client in (None, "a", "b") for cloud in (None, *CLOUDS)]
    assert len({id(each) for each in found}) == 12
