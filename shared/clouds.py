"""Azure's clouds: hosts, audience and sign-in of each, in one table. No other host gets a token.

Sources: azure.identity.AzureAuthorityHosts; "Azure Government endpoints" and "Azure in China: endpoints" on
learn.microsoft.com; azure-sdk-for-net #48524 (the audience of Azure Government).
"""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Cloud:
    """One of Azure's clouds. Hosts are the ends of host names."""

    name: str
    authority: str
    """Host of Microsoft Entra ID."""
    audience: str
    """The audience of a token for Cognitive Services."""
    resource_hosts: tuple[str, ...]
    """Hosts of single resources of Cognitive Services, which take tokens."""
    regional_hosts: tuple[str, ...]
    """Hosts of whole regions, such as westus.api.cognitive.microsoft.com: they take keys, and no tokens."""
    storage_hosts: tuple[str, ...]
    """Hosts of storage accounts, after ``ACCOUNT.blob``, ``.queue`` or ``.table``."""

    @property
    def scope(self) -> str:
        """The scope of a token for Cognitive Services."""
        return f"{self.audience}/.default"


PUBLIC = Cloud(
    name="Azure",
    authority="login.microsoftonline.com",
    audience="https://cognitiveservices.azure.com",
    resource_hosts=(".cognitiveservices.azure.com", ".services.ai.azure.com"),
    regional_hosts=(".api.cognitive.microsoft.com",),
    storage_hosts=(".core.windows.net", ".storage.azure.net"),
)

CLOUDS = (
    PUBLIC,
    Cloud(
        name="Azure Government",
        authority="login.microsoftonline.us",
        audience="https://cognitiveservices.azure.us",
        resource_hosts=(".cognitiveservices.azure.us",),
        regional_hosts=(".api.cognitive.microsoft.us",),
        storage_hosts=(".core.usgovcloudapi.net",),
    ),
    Cloud(
        name="Azure in China",
        authority="login.chinacloudapi.cn",
        audience="https://cognitiveservices.azure.cn",
        resource_hosts=(".cognitiveservices.azure.cn",),
        regional_hosts=(".api.cognitive.azure.cn",),
        storage_hosts=(".core.chinacloudapi.cn",),
    ),
)


def cloud_of_read(endpoint: str) -> Cloud | None:
    """The cloud of an https endpoint that takes Microsoft Entra tokens; None for any other endpoint."""
    parts = urlsplit(endpoint)
    host = (parts.hostname or "").casefold()
    return next((c for c in CLOUDS if parts.scheme == "https" and host.endswith(c.resource_hosts)), None)


def is_regional(endpoint: str) -> bool:
    """Whether the endpoint is that of a whole region, which takes only keys."""
    return (
        (urlsplit(endpoint).hostname or "")
        .casefold()
        .endswith(tuple(host for cloud in CLOUDS for host in cloud.regional_hosts))
    )


def cloud_of_storage(url: str) -> Cloud | None:
    """The cloud of a storage service's URL, if it is in one of Azure's clouds."""
    host = (urlsplit(url).hostname or "").casefold()
    return next((cloud for cloud in CLOUDS if host.endswith(cloud.storage_hosts)), None)


def cloud_of_authority(host: str | None) -> Cloud:
    """The cloud of an authority (AZURE_AUTHORITY_HOST, with or without https://). The public one, if it is unknown."""
    name = (host or "").removeprefix("https://").rstrip("/").casefold()
    return next((cloud for cloud in CLOUDS if cloud.authority == name), PUBLIC)
