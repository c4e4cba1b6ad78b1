"""What a browser asks for: pages, the live stream, forms, and the files beside them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from markupsafe import Markup
from pydantic import ValidationError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from dashboards._day import read_days
from dashboards._words import word
from dashboards.drawings import phone_screen
from dashboards.page._api import as_date, send_wish
from dashboards.page._context import PageContext
from dashboards.page._fingerprint import fingerprint
from dashboards.page._stream import stream
from dashboards.page._weeks import weeks_view
from dashboards.page._wishes import WISHES

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
_NUMBERS = ("pain_back", "pain_knee_left", "pain_knee_right", "minutes", "nudge_ns", "per_hour")
_CHOICES = {"threshold_deg": "own", "break_after_min": "off", "quiet_start": "off", "quiet_end": "off"}
"""What an empty field of the form of choices means."""
_SPANS = {"week": 7, "month": 30}


def page_routes(page: PageContext) -> APIRouter:
    """Everything outside `/api`."""
    routes = APIRouter(include_in_schema=False)
    _views(routes, page)
    _wishes(routes, page)
    _files(routes, page)
    _installing(routes, page)
    return routes


def _views(routes: APIRouter, page: PageContext) -> None:
    @routes.get("/")
    async def wearers(request: Request) -> Response:
        viewer = page.gate.let_in(request)
        known = [name for name in await page.desk.wearers() if page.access.may_see(viewer, name)]
        if len(known) == 1:
            return RedirectResponse(f"/w/{known[0]}", 303)
        rows = [(name, (await page.desk.context(name))["now"]) for name in known]
        return page.html("wearers.html", rows=rows)

    @routes.get("/w/{wearer}")
    async def one(request: Request, wearer: str, day: str | None = None, sent: str | None = None) -> Response:
        await page.see(request, wearer)
        shown = None if day is None else as_date(day)
        context = await page.desk.context(wearer, shown)
        more: dict[str, Any] = {
            "static_day": shown is not None,
            "sent": sent if sent in WISHES else "",
            "page": _neighbours(context),
        }
        return page.html("wearer.html", **context, **more)

    @routes.get("/w/{wearer}/days")
    async def days(request: Request, wearer: str, span: str = "week", to: str | None = None) -> Response:
        await page.see(request, wearer)
        if span not in _SPANS:
            raise HTTPException(404, word("error.not_found"))
        last = page.desk.clock(wearer).today() if to is None else as_date(to)
        first = last - timedelta(days=_SPANS[span] - 1)
        zone = page.desk.zone(wearer)
        found = await page.shelf.read(lambda reader: read_days(reader, wearer, first, last, zone))
        view = weeks_view(found, first, last)
        links = {
            "previous": (first - timedelta(days=1)).isoformat(),
            "next": (last + timedelta(days=_SPANS[span])).isoformat(),
        }
        return page.html("days.html", wearer=wearer, view=view, span=span, links=links)

    @routes.get("/w/{wearer}/live")
    async def live(request: Request, wearer: str) -> Response:
        await page.see(request, wearer)

        def still_allowed() -> bool:
            viewer = page.gate.viewer(request)
            return viewer is not None and page.access.may_see(viewer, wearer)

        return await stream(page.hub, page.parts, wearer, still_allowed)


def _wishes(routes: APIRouter, page: PageContext) -> None:
    @routes.post("/w/{wearer}/wish/{verb}")
    async def wish(request: Request, wearer: str, verb: str) -> Response:
        await page.see(request, wearer, write=True)
        if verb not in WISHES:
            raise HTTPException(404, word("error.not_found"))
        async with request.form(max_files=0, max_fields=20, max_part_size=8192) as form:
            values = _values(form)
        try:
            checked = WISHES[verb].model_validate(values)
        except ValidationError as error:
            raise HTTPException(422, "; ".join(problem["msg"] for problem in error.errors())) from None
        await send_wish(page.send, wearer, verb, checked)
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"sent": True}, 202)
        return RedirectResponse(f"/w/{wearer}?sent={verb}", 303)


def _files(routes: APIRouter, page: PageContext) -> None:
    @routes.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in page.static:
            raise HTTPException(404, word("error.not_found"))
        body, _digest = page.static[name]
        kept = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(body, media_type=_TYPES[Path(name).suffix], headers=kept)


def _installing(routes: APIRouter, page: PageContext) -> None:
    def authority() -> bytes:
        path = page.settings.data_dir / "tls" / "ca.crt"
        if not page.gate.log_in or not path.is_file():
            raise HTTPException(404, word("error.not_found"))
        return path.read_bytes()

    @routes.get("/install")
    async def install() -> Response:
        return page.html("install.html", fingerprint=fingerprint(authority()), pictures=_pictures())

    @routes.get("/ca.crt")
    async def ca() -> Response:
        named = {"content-disposition": 'attachment; filename="sagittal.crt"'}
        return Response(authority(), media_type="application/x-x509-ca-cert", headers=named)

    @routes.get("/sw.js")
    async def service_worker() -> Response:
        return Response(page.static["sw.js"][0], media_type=_TYPES[".js"])


def _pictures() -> dict[str, list[tuple[Markup, str]]]:
    """The steps for each kind of phone, drawn and in words; a screen is "heading|row|*row to tap|row", "!" a switch."""
    drawn: dict[str, list[tuple[Markup, str]]] = {}
    for phone in ("iphone", "android"):
        drawn[phone] = []
        for step in range(1, 5):
            heading, *rows = word(f"install.{phone}_{step}_screen").split("|")
            hit = next(index for index, row in enumerate(rows) if row[0] in "*!")
            screen = phone_screen(heading, [row.lstrip("*!") for row in rows], hit=hit, switch=rows[hit][0] == "!")
            drawn[phone].append((screen, word(f"install.{phone}_{step}")))
    return drawn


def _values(form: FormData) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in form.multi_items():
        text = str(value).strip() or ("" if "choices" not in form else _CHOICES.get(name, ""))
        if not text or name == "choices":
            continue
        if name == "tags":
            values.setdefault("tags", []).append(text)
        elif name == "start":
            values["start"] = text == "true"
        else:
            values[name] = int(text) if name in _NUMBERS and text.isdecimal() and len(text) < 20 else text
    return values


def _neighbours(context: dict[str, Any]) -> dict[str, str]:
    if context["day"] is None:
        return {}
    shown = date.fromisoformat(context["day"].iso)
    return {
        "previous": (shown - timedelta(days=1)).isoformat(),
        "next": (shown + timedelta(days=1)).isoformat(),
    }
