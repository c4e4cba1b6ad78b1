"""The page's web application, put together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from dashboards._words import word
from dashboards.page._api import Api, router
from dashboards.page._context import PageContext
from dashboards.page._gate import has_session, has_token
from dashboards.page._guard import Guard, allowed_hosts
from dashboards.page._live import LiveSource
from dashboards.page._login import login_routes
from dashboards.page._notes import notes_routes
from dashboards.page._rights import rights_routes
from dashboards.page._routes import page_routes
from sagittal import __version__
from sagittal.errors import StoreError
from sagittal.protocols import Reader
from sagittal.results import NOTICE
from sagittal.settings import Settings

_ABOUT = f"""Posture and gait of a wearer, as the analysis stored them. {NOTICE}

Times are UTC nanoseconds since 1970 as whole numbers (read them as 64-bit integers); angles are degrees, flexion
positive forwards, lateral positive to the wearer's right. Absent values are null, with a reason beside them.
Where a log-in is asked for, send `Authorization: Bearer <token>`; `sagittal access token` makes one."""


def create_app(
    open_reader: Callable[[], Reader],
    live: LiveSource,
    settings: Settings,
    *,
    now_ns: Callable[[], int] = time.time_ns,
    log_in: bool = False,
) -> FastAPI:
    """The wearer's page and the API as an ASGI application.

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
    log_in
        Whether everyone must log in; without it whoever reaches the page may see all, so it must stay on loopback.

    Raises
    ------
    StoreError
        Where the book of access in the data folder can't be opened.
    """
    page = PageContext(open_reader, live, settings, now_ns, log_in=log_in)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        page.hub.attach(asyncio.get_running_loop())
        ticking = asyncio.create_task(page.parts.run())
        try:
            live.start(page.hub.from_thread_message, page.hub.from_thread_link)
            yield
        finally:
            ticking.cancel()
            page.hub.close()
            await asyncio.to_thread(live.stop)
            await page.shelf.close()
            page.access.close()

    app = FastAPI(
        title="Sagittal",
        version=__version__,
        description=_ABOUT,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.state.page = page
    app.add_middleware(GZipMiddleware, minimum_size=600)
    app.add_middleware(
        Guard,
        hosts=allowed_hosts(settings.page.host, settings.page.allowed_hosts),
        trusted=lambda headers: has_token(headers.get("authorization")) or (log_in and not has_session(headers)),
    )
    _errors(app, page)
    app.include_router(page_routes(page))
    app.include_router(login_routes(page))
    app.include_router(rights_routes(page))
    app.include_router(notes_routes(page))
    api = Api(page.gate, page.shelf, page.desk, page.send, page.hub, settings.wearer, now_ns)
    app.include_router(router(api))
    return app


def _errors(app: FastAPI, page: PageContext) -> None:
    def answer(request: Request, status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
        wants_json = "application/json" in request.headers.get("accept", "")
        if request.url.path.startswith("/api/") or wants_json:
            return JSONResponse({"detail": detail}, status, headers)
        response = page.html("error.html", status, detail=detail)
        response.headers.update(headers or {})
        return response

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        detail = word("error.not_found") if error.detail == "Not Found" else str(error.detail)
        headers = dict(error.headers) if error.headers else None
        if error.status_code == 401 and page.gate.log_in and not request.url.path.startswith("/api/"):
            return page.html("login.html", 401, detail="")
        return answer(request, error.status_code, detail, headers)

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        problems = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
        return answer(request, 422, problems)

    @app.exception_handler(StoreError)
    async def store_away(request: Request, error: StoreError) -> Response:
        return answer(request, 503, str(error))
