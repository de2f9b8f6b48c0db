"""Storage's error codes."""

from azure.core.exceptions import AzureError


def error_code(error: AzureError) -> str:
    """Storage's own code, such as ``ContainerNotFound``, or an empty text. The SDKs set it without declaring it."""
    code = getattr(error, "error_code", None) or ""
    return str(getattr(code, "value", code))
