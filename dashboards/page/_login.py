"""Logging in: by name and password, or by a pairing code that a phone reads from a screen."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from dashboards._words import word
from dashboards.page._access import SESSION_S, AccessRefused, TooManyTries
from dashboards.page._context import PageContext
from dashboards.page._gate import COOKIE


def login_routes(page: PageContext) -> APIRouter:
    """Log-in, pairing and log-out; unknown where no log-in is asked."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/login")
    async def ask() -> Response:
        _only_with_log_in(page)
        return page.html("login.html", detail="")

    @routes.post("/login")
    async def log_in(request: Request) -> Response:
        _only_with_log_in(page)
        name, password = await _fields(request, "name", "password")
        return await _enter(page, request, name, password)

    @routes.get("/pair")
    async def pair_page() -> Response:
        _only_with_log_in(page)
        return page.html("pair.html", detail="")

    @routes.post("/pair")
    async def pair(request: Request) -> Response:
        _only_with_log_in(page)
        (code,) = await _fields(request, "code")
        return await _enter(page, request, code, None)

    @routes.post("/logout")
    async def log_out(request: Request) -> Response:
        _only_with_log_in(page)
        page.access.close_session(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer

    return routes


async def _enter(page: PageContext, request: Request, first: str, password: str | None) -> Response:
    source = request.client.host if request.client else "unknown"
    try:
        if password is None:
            session = page.access.pair(first, source)
        else:
            session = await asyncio.to_thread(page.access.log_in, first, password, source)
    except AccessRefused as error:
        page.access.record(None, f"POST {request.url.path}", None, "refused")
        status = 429 if isinstance(error, TooManyTries) else 401
        template = "pair.html" if password is None else "login.html"
        return page.html(template, status, detail=word("login.failed", detail=str(error)))
    viewer = page.access.viewer(session, "session")
    page.access.record(viewer, f"POST {request.url.path}", None, "logged in")
    answer = RedirectResponse("/", 303)
    lasts = SESSION_S["wearer"]
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, session, max_age=lasts, httponly=True, samesite="strict", secure=secure)
    return answer


async def _fields(request: Request, *names: str) -> tuple[str, ...]:
    async with request.form(max_files=0, max_fields=5, max_part_size=1024) as form:
        return tuple(str(form.get(name, "")) for name in names)


def _only_with_log_in(page: PageContext) -> None:
    if not page.gate.log_in:
        raise HTTPException(404, word("error.not_found"))
