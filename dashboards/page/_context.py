"""What all routes of the page share."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException

from dashboards._words import catalogue, word
from dashboards.drawings import posture_css
from dashboards.page._access import Access
from dashboards.page._desk import Desk
from dashboards.page._gate import Gate
from dashboards.page._hub import Hub
from dashboards.page._live import LiveSource
from dashboards.page._shelf import Shelf
from dashboards.page._stream import LiveParts
from sagittal import __version__
from sagittal.errors import BrokerError
from sagittal.messages import Command
from sagittal.protocols import Reader
from sagittal.settings import Settings
from sagittal.topics import command_topic


class PageContext:
    """Store, live source, rights and templates of one page."""

    def __init__(
        self,
        open_reader: Callable[[], Reader],
        live: LiveSource,
        settings: Settings,
        now_ns: Callable[[], int],
        *,
        log_in: bool,
    ) -> None:
        self.live = live
        self.settings = settings
        self.now_ns = now_ns
        self.open_reader = open_reader
        self.access = Access(settings.data_dir / "access.sqlite")
        self.gate = Gate(self.access, log_in=log_in)
        self.hub = Hub(now_ns=now_ns, tells_parts=live.tells_parts)
        self.shelf = Shelf(open_reader)
        self.static = _static()
        self.templates = _templates(self.static)
        self.desk = Desk(self.shelf, self.hub, settings, self.templates, now_ns)
        self.parts = LiveParts(self.hub, self.desk)

    def html(self, name: str, status: int = 200, **context: Any) -> HTMLResponse:
        """A rendered template."""
        shown = {"log_in": self.gate.log_in} | context
        return HTMLResponse(self.templates.get_template(name).render(shown), status)

    async def see(self, request: Request, wearer: str, *, write: bool = False) -> None:
        """Go on only where the asker may see a wearer who is known."""
        self.gate.let_see(request, wearer, write=write)
        if wearer not in await self.desk.wearers():
            raise HTTPException(404, word("error.unknown_wearer"))

    async def send(self, wearer: str, verb: str, values: dict[str, Any]) -> Command:
        """Send a wish.

        Raises
        ------
        BrokerError
            Where the broker did not take it, or no analysis is there to hear it: a wish does not wait.
        """
        if not self.hub.heeded:
            raise BrokerError(word("link.worker"))
        wish = Command.model_validate(
            {"id": secrets.token_hex(8), "t_ns": self.now_ns(), "wearer": wearer, "verb": verb, "values": values}
        )
        await asyncio.to_thread(self.live.publish, command_topic(wearer, verb), wish.to_json())
        return wish


def _static() -> dict[str, tuple[bytes, str]]:
    loaded = {}
    for entry in files("dashboards.page").joinpath("static").iterdir():
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
