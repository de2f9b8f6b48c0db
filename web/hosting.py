"""Where the app runs, and what stands before it, as the platform tells by environment variables."""

from collections.abc import Mapping


def signs_in(environ: Mapping[str, str]) -> bool:
    """Whether App Service authentication is on; the platform sets this variable, and no request can."""
    return environ.get("WEBSITE_AUTH_ENABLED", "").casefold() == "true"


def is_in_azure(environ: Mapping[str, str]) -> bool:
    """Whether this runs in Azure: every plan names its instance in one of these (azure-functions-host,
    EnvironmentExtensions: IsAppService, IsAnyLinuxConsumption, IsManagedAppEnvironment)."""
    return any(environ.get(name) for name in ("WEBSITE_INSTANCE_ID", "CONTAINER_NAME", "MANAGED_ENVIRONMENT"))
