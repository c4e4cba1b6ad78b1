"""A wearer's own rights: who may look, giving and taking it back, and who looked."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from dashboards._clock import date_words
from dashboards._words import word
from dashboards.page._access import AccessRefused
from dashboards.page._context import PageContext

CONSENT_TEXT = "consent-1"
"""Names the wording of `rights.text` in the catalogue: change both together."""
_SHOWN_LOOKS = 50


def rights_routes(page: PageContext) -> APIRouter:
    """The page of rights and its two forms."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/w/{wearer}/rights")
    async def rights(request: Request, wearer: str) -> Response:
        await page.see(request, wearer)
        zone = page.desk.zone(wearer)
        consents = [
            (one.actor, _when(one.given, zone), "" if one.withdrawn is None else _when(one.withdrawn, zone))
            for one in reversed(page.access.consents(wearer))
        ]
        looks = [
            (_when(row.t, zone), row.actor, row.action, row.outcome)
            for row in reversed(page.access.audit(wearer)[-_SHOWN_LOOKS:])
        ]
        return page.html("rights.html", wearer=wearer, consents=consents, looks=looks)

    @routes.post("/w/{wearer}/consent/{act}")
    async def change(request: Request, wearer: str, act: str) -> Response:
        await page.see(request, wearer, write=True)
        async with request.form(max_files=0, max_fields=3, max_part_size=1024) as form:
            actor = str(form.get("actor", ""))
        try:
            if act == "give":
                page.access.give_consent(wearer, actor, CONSENT_TEXT)
            elif act == "withdraw":
                page.access.withdraw_consent(wearer, actor)
            else:
                raise HTTPException(404, word("error.not_found"))
        except AccessRefused as error:
            raise HTTPException(422, str(error)) from None
        return RedirectResponse(f"/w/{wearer}/rights", 303)

    return routes


def _when(t: float, zone: ZoneInfo) -> str:
    then = datetime.fromtimestamp(t, UTC).astimezone(zone)
    return f"{date_words(then)}, {then:%H:%M}"
