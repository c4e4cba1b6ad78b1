"""What stands before every request: the right host, no foreign site, and headers that keep a browser strict.

A page on loopback is open to whatever a browser on the same machine is told to fetch, so the Host header is held to a
list (against DNS rebinding) and everything that changes something must come from the page itself: the Origin header, or
Sec-Fetch-Site where there is no Origin (OWASP CSRF prevention cheat sheet, "verifying origin").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboards._words import word

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def allowed_hosts(host: str, extra: Iterable[str]) -> frozenset[str]:
    """Host names that the page answers to: loopback, its own address, and those of the settings."""
    own = {host.lower()} if host not in ("0.0.0.0", "::", "") else set()  # noqa: S104  # compared, not bound
    return frozenset({"127.0.0.1", "localhost", "[::1]", *own, *(name.lower() for name in extra)})


class Guard:
    """ASGI middleware; `trusted` says which requests to the API another site could not have made a browser send.

    Those carry a token of their own, or nothing at all by which a log-in would be known.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], trusted: Callable[[Headers], bool] | None = None) -> None:
        self._app = app
        self._hosts = hosts
        self._trusted = trusted or (lambda _headers: False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with strict headers."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def strict(message: Message) -> None:
            if message["type"] == "http.response.start":
                outgoing = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    outgoing.setdefault(name, value)
                outgoing.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, strict)
            return
        await self._app(scope, receive, strict)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host, of_api = headers.get("host", ""), scope["path"].startswith("/api/")
        if _name(host) not in self._hosts:
            return _refuse(word("error.bad_host"), 400, of_api=of_api)
        if scope["method"] in _SAFE or (of_api and self._trusted(headers)):
            return None
        origin = headers.get("origin")
        if origin is None:
            same = headers.get("sec-fetch-site") == "same-origin"
        else:
            parts = urlsplit(origin)
            same = parts.scheme == scope["scheme"] and parts.netloc.lower() == host.lower()
        return None if same else _refuse(word("error.bad_origin"), 403, of_api=of_api)


def _refuse(text: str, status: int, *, of_api: bool) -> Response:
    return JSONResponse({"detail": text}, status) if of_api else PlainTextResponse(text, status)


def _name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()
