"""What is settled before every answer: who asks, and whether they may see this wearer."""

from __future__ import annotations

from fastapi import Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser

from dashboards._words import word
from dashboards.page._access import LOCAL, Access, Role, Viewer
from sagittal.errors import NameRefused
from sagittal.names import check_name

COOKIE = "sagittal"
_BEARER = "bearer "


class Gate:
    """Reads tokens and sessions, and refuses what is not permitted; without a log-in every local browser may see all.

    A token that is sent but opens nothing is refused even where none would be asked for.
    """

    def __init__(self, access: Access, *, log_in: bool) -> None:
        self.access = access
        self.log_in = log_in

    def viewer(self, request: Request) -> Viewer | None:
        """Who asks; None where nobody has shown who they are.

        Raises
        ------
        HTTPException
            401 where a token was sent that opens nothing.
        """
        sent = request.headers.get("authorization")
        if sent is not None:
            viewer = self.access.viewer(sent[len(_BEARER) :].strip(), "token") if _is_bearer(sent) else None
            if viewer is None:
                self.access.record(None, _action(request), None, "bad token")
                raise HTTPException(401, word("access.bad_token"), {"www-authenticate": "Bearer"})
            return viewer
        session = request.cookies.get(COOKIE)
        viewer = self.access.viewer(session, "session") if session else None
        return viewer or (None if self.log_in else LOCAL)

    def let_in(self, request: Request) -> Viewer:
        """Who asks, whoever it is; 401 where nobody."""
        viewer = self.viewer(request)
        if viewer is None:
            self.access.record(None, _action(request), None, "no log-in")
            raise HTTPException(401, word("access.log_in_first"), {"www-authenticate": "Bearer"})
        return viewer

    def let_see(self, request: Request, wearer: str, *, write: bool = False) -> Viewer:
        """Who asks, if they may see the wearer; 404 otherwise, as for a wearer who does not exist."""
        viewer = self.let_in(request)
        try:
            check_name("wearer", wearer)
        except NameRefused:
            raise HTTPException(404, word("error.unknown_wearer")) from None
        allowed = self.access.may_see(viewer, wearer)
        if write and allowed and viewer.role not in (Role.LOCAL, Role.WEARER):
            self.access.record(viewer, _action(request), wearer, "refused")
            raise HTTPException(403, word("access.read_only"))
        if viewer.role is not Role.LOCAL:
            self.access.record(viewer, _action(request), wearer, "seen" if allowed else "refused")
        if not allowed:
            raise HTTPException(404, word("error.unknown_wearer"))
        return viewer


def has_token(authorization: str | None) -> bool:
    """Whether a request carries a token of its own: such a request can't have been forged by another site."""
    return authorization is not None and _is_bearer(authorization)


def has_session(headers: Headers) -> bool:
    """Whether a request carries a cookie of ours, which a browser sends along whoever made it ask."""
    return COOKIE in cookie_parser(headers.get("cookie", ""))


def _is_bearer(value: str) -> bool:
    return value[: len(_BEARER)].lower() == _BEARER


def _action(request: Request) -> str:
    route = request.scope.get("route")
    return f"{request.method} {getattr(route, 'path', request.url.path)}"
