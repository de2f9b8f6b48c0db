"""Who may have data: whoever the host took a function key from, or App Service authentication has signed in.

The host checks keys before a request comes here, for functions of the level FUNCTION. App Service authentication lets a
browser in by a cookie, without a key, so under it the level is ANONYMOUS, and each request must carry what the
platform adds for somebody who has signed in; it removes that header from what comes from outside.
(learn.microsoft.com/azure/app-service/configure-authentication-user-identities)
"""

from collections.abc import Mapping

from web.hosting import is_in_azure, signs_in
from web.message import Request
from web.problem import Problem


def check(request: Request, environ: Mapping[str, str]) -> None:
    """Raises Problem where a request for data may come from anybody."""
    if signs_in(environ):
        if not request.headers.get("x-ms-client-principal"):
            raise Problem("AuthenticationRequired", "Nobody has signed in.")
    elif is_in_azure(environ) and not (request.headers.get("x-functions-key") or request.query.get("code")):
        # The host lets nothing through without a key, unless it was told not to ask for any.
        raise Problem("NotProtected", "This app runs in Azure, and nothing asks for a key or a sign-in.")
