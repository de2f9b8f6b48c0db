"""Where the app runs and what protects it, according to the platform's environment variables."""

from collections.abc import Mapping


def signs_in(environ: Mapping[str, str]) -> bool:
    """Whether App Service authentication is on. The platform sets this variable; no request can."""
    return environ.get("WEBSITE_AUTH_ENABLED", "").casefold() == "true"


def is_in_azure(environ: Mapping[str, str]) -> bool:
    """Whether this runs in Azure. Each plan sets some of these; Core Tools and other platforms set none.

    (azure-functions-host, EnvironmentSettingNames.cs; it also checks CONTAINER_NAME, but other platforms set that too.)
    """
    return any(environ.get(name) for name in _OF_AZURE)


_OF_AZURE = ("WEBSITE_SITE_NAME", "WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME", "MANAGED_ENVIRONMENT")
