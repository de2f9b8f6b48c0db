"""Who may have data: a caller whose function key the host has accepted, or whom App Service authentication signed in.

The host checks keys before a request comes here, for functions of the level FUNCTION. App Service authentication lets a
browser in by a cookie, without a key. When it is on, the level is therefore ANONYMOUS, and each request must carry the
header that the platform adds for a signed-in user; the platform removes that header from outside requests.
(learn.microsoft.com/azure/app-service/configure-authentication-user-identities)
"""

from collections.abc import Mapping

from web.hosting import is_in_azure, signs_in
from web.message import Request
from web.problem import Problem


def check(request: Request, environ: Mapping[str, str]) -> None:
    """Raises Problem if anybody could have sent this request for data."""
    if signs_in(environ):
        if not request.headers.get("x-ms-client-principal"):
            raise Problem("AuthenticationRequired", "Nobody has signed in.")
    elif is_in_azure(environ) and not (request.headers.get("x-functions-key") or request.query.get("code")):
        # The host lets no request through without a key, unless it is configured not to ask for one.
        raise Problem("NotProtected", "This app runs in Azure, and callers need neither a key nor a sign-in.")
