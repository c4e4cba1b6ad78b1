"""The page's web application."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from dashboards._words import catalogue, word
from dashboards.drawings import posture_css
from dashboards.page._desk import Desk
from dashboards.page._guard import Guard, allowed_hosts
from dashboards.page._hub import Hub
from dashboards.page._live import LiveSource
from dashboards.page._shelf import Shelf
from dashboards.page._stream import LiveParts, stream
from sagittal import __version__
from sagittal.errors import BrokerError, NameRefused
from sagittal.messages import Command
from sagittal.names import check_name
from sagittal.protocols import Reader
from sagittal.settings import Settings
from sagittal.topics import command_topic

_log = logging.getLogger(__name__)
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Page:
    """What the routes share."""

    def __init__(
        self, open_reader: Callable[[], Reader], live: LiveSource, settings: Settings, now_ns: Callable[[], int]
    ) -> None:
        self.live = live
        self.settings = settings
        self.hub = Hub()
        self.shelf = Shelf(open_reader)
        self.now_ns = now_ns
        self.static = _static()
        self.templates = _templates(self.static)
        self.desk = Desk(self.shelf, self.hub, settings, self.templates, now_ns)

    def html(self, name: str, status: int = 200, **context: Any) -> HTMLResponse:
        """A rendered template."""
        return HTMLResponse(self.templates.get_template(name).render(context), status)

    async def command(self, wearer: str, verb: str, values: dict[str, Any]) -> Command:
        """Send a wish.

        Raises
        ------
        BrokerError
            Where the broker did not take it.
        """
        wish = Command.model_validate(
            {"id": secrets.token_hex(8), "t_ns": self.now_ns(), "wearer": wearer, "verb": verb, "values": values}
        )
        await asyncio.to_thread(self.live.publish, command_topic(wearer, verb), wish.to_json())
        return wish

    async def known(self, wearer: str) -> str:
        """The wearer's name, if such a wearer is known; else the answer is 404."""
        try:
            check_name("wearer", wearer)
        except NameRefused:
            raise HTTPException(404, word("error.unknown_wearer")) from None
        if wearer not in await self.desk.wearers():
            raise HTTPException(404, word("error.unknown_wearer"))
        return wearer


def create_app(
    open_reader: Callable[[], Reader],
    live: LiveSource,
    settings: Settings,
    *,
    now_ns: Callable[[], int] = time.time_ns,
) -> FastAPI:
    """The wearer's page as an ASGI application.

    Parameters
    ----------
    open_reader
        Opens the store for reading; called on the page's own reading thread, again and again until it succeeds.
    live
        Live messages and the way for wishes; started and stopped with the application.
    settings
        Wearers with their time zones, and the hosts that the page answers to.
    now_ns
        The present, UTC ns.
    """
    page = Page(open_reader, live, settings, now_ns)
    parts = LiveParts(page.hub, page.desk)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        page.hub.attach(asyncio.get_running_loop())
        live.start(page.hub.from_thread_message, page.hub.from_thread_link)
        ticking = asyncio.create_task(parts.run())
        try:
            yield
        finally:
            ticking.cancel()
            page.hub.close()
            await asyncio.to_thread(live.stop)
            await page.shelf.close()

    app = FastAPI(
        title="Sagittal", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None
    )
    app.state.page = page
    app.add_middleware(GZipMiddleware, minimum_size=600)
    app.add_middleware(Guard, hosts=allowed_hosts(settings.page.host, settings.page.allowed_hosts))
    _errors(app, page)
    _pages(app, page, parts)
    return app


def _pages(app: FastAPI, page: Page, parts: LiveParts) -> None:
    @app.get("/", include_in_schema=False)
    async def wearers() -> Response:
        known = await page.desk.wearers()
        if len(known) == 1:
            return RedirectResponse(f"/w/{known[0]}", 303)
        rows = [(name, (await page.desk.context(name))["now"]) for name in known]
        return page.html("wearers.html", rows=rows)

    @app.get("/w/{wearer}", include_in_schema=False)
    async def one(wearer: str, day: str | None = None, sent: str | None = None) -> Response:
        await page.known(wearer)
        shown = _date(day)
        context = await page.desk.context(wearer, shown)
        return page.html("wearer.html", **context, static_day=shown is not None, sent=sent, page=page_links(context))

    @app.get("/w/{wearer}/live", include_in_schema=False)
    async def live(wearer: str) -> Response:
        await page.known(wearer)
        return await stream(page.hub, parts, wearer)

    @app.post("/w/{wearer}/calibrate", include_in_schema=False)
    async def calibrate(request: Request, wearer: str) -> Response:
        await page.known(wearer)
        try:
            await page.command(wearer, "calibrate", {"method": "stand"})
        except BrokerError as error:
            raise HTTPException(503, word("calibrate.offline", detail=str(error))) from None
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"sent": True}, 202)
        return RedirectResponse(f"/w/{wearer}?sent=calibrate", 303)

    @app.get("/static/{name}", include_in_schema=False)
    async def static(name: str) -> Response:
        if name not in page.static:
            raise HTTPException(404, word("error.not_found"))
        body, _digest = page.static[name]
        kept = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(body, media_type=_TYPES[Path(name).suffix], headers=kept)


def page_links(context: dict[str, Any]) -> dict[str, str]:
    """The days before and after the shown one."""
    day = context["day"]
    if day is None:
        return {}
    shown = date.fromisoformat(day.iso)
    return {
        "previous": date.fromordinal(shown.toordinal() - 1).isoformat(),
        "next": date.fromordinal(shown.toordinal() + 1).isoformat(),
    }


def _errors(app: FastAPI, page: Page) -> None:
    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = str(error.detail) if isinstance(error, HTTPException) else ""
        if status == 404 and detail == "Not Found":
            detail = word("error.not_found")
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"detail": detail}, status)
        return page.html("error.html", status, detail=detail)


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        shown = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(400, word("error.bad_day")) from None
    if not 1971 <= shown.year <= 2260:
        raise HTTPException(400, word("error.bad_day"))
    return shown


def _static() -> dict[str, tuple[bytes, str]]:
    folder = files("dashboards.page").joinpath("static")
    loaded = {}
    for entry in folder.iterdir():
        body = entry.read_bytes()
        if entry.name == "page.css":
            body += posture_css().encode()
        loaded[entry.name] = (body, hashlib.sha256(body).hexdigest()[:12])
    return loaded


def _templates(static: dict[str, tuple[bytes, str]]) -> Environment:
    environment = Environment(
        loader=PackageLoader("dashboards.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        w=word,
        words=catalogue(),
        asset=lambda name: f"/static/{name}?{static[name][1]}",
        version=__version__,
    )
    return environment
