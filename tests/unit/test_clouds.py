"""Which Azure cloud a host belongs to. A token comes from that cloud, is valid for it, and is sent nowhere else."""

import pytest
from azure.identity import AzureAuthorityHosts

from shared.clouds import CLOUDS, Cloud, cloud_of_authority, cloud_of_read, cloud_of_storage, is_regional


@pytest.mark.parametrize(
    ("endpoint", "scope", "authority"),
    [
        (
            "https://contoso.cognitiveservices.azure.com",
            "https://cognitiveservices.azure.com/.default",
            AzureAuthorityHosts.AZURE_PUBLIC_CLOUD,
        ),
        (
            "https://contoso.services.ai.azure.com",
            "https://cognitiveservices.azure.com/.default",
            AzureAuthorityHosts.AZURE_PUBLIC_CLOUD,
        ),
        (
            "https://Contoso.CognitiveServices.Azure.US/",
            "https://cognitiveservices.azure.us/.default",
            AzureAuthorityHosts.AZURE_GOVERNMENT,
        ),
        (
            "https://contoso.cognitiveservices.azure.cn",
            "https://cognitiveservices.azure.cn/.default",
            AzureAuthorityHosts.AZURE_CHINA,
        ),
    ],
)
def test_a_token_is_for_the_cloud_of_the_endpoint(endpoint: str, scope: str, authority: str) -> None:
    cloud = cloud_of_read(endpoint)
    assert cloud is not None
    assert (cloud.scope, cloud.authority) == (scope, authority)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://name.cognitiveservices.azure.com",
        "https://cognitiveservices.azure.com.evil.example",
        "https://evil.example/.cognitiveservices.azure.com",
        "https://evilcognitiveservices.azure.com",
        "https://westus.api.cognitive.microsoft.com",
        "https://localhost:5000",
    ],
)
def test_no_token_is_sent_over_http_or_to_another_host(endpoint: str) -> None:
    assert cloud_of_read(endpoint) is None


@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
def test_a_regional_endpoint_is_recognised_in_every_cloud(cloud: Cloud) -> None:
    assert cloud.regional_hosts
    assert all(is_regional(f"https://region{host}/") for host in cloud.regional_hosts)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.blob.core.windows.net", "Azure"),
        ("https://a.z13.blob.storage.azure.net", "Azure"),
        ("https://a.table.core.usgovcloudapi.net", "Azure Government"),
        ("https://a.queue.core.chinacloudapi.cn", "Azure in China"),
        ("http://127.0.0.1:10000/devstoreaccount1", None),
    ],
)
def test_a_storage_accounts_host_says_its_cloud(url: str, name: str | None) -> None:
    cloud = cloud_of_storage(url)
    assert (cloud and cloud.name) == name


@pytest.mark.parametrize(
    ("host", "name"),
    [
        (None, "Azure"),
        ("https://login.microsoftonline.us/", "Azure Government"),
        ("login.chinacloudapi.cn", "Azure in China"),
        ("login.example", "Azure"),
    ],
)
def test_the_authority_says_which_cloud_is_signed_in_to(host: str | None, name: str) -> None:
    assert cloud_of_authority(host).name == name
