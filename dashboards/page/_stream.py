"""Server-sent events: the present when a browser comes, and every part that changes after that."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.responses import PlainTextResponse, Response, StreamingResponse

from dashboards.page._desk import PARTS, Desk, part_key
from dashboards.page._hub import RAW, Hub, Mailbox

_log = logging.getLogger(__name__)
_BEAT_S = 4.0
_TICK_S = 1.0
_RETRY_MS = 1500


class LiveParts:
    """Renders once a second, for each wearer whom somebody watches, what has changed; every watcher gets the same."""

    def __init__(self, hub: Hub, desk: Desk) -> None:
        self._hub = hub
        self._desk = desk
        self._told: dict[str, dict[str, str]] = {}

    async def run(self) -> None:
        """Go on until cancelled; what fails for one wearer is logged and tried again."""
        while True:
            await asyncio.sleep(_TICK_S)
            watched = self._hub.watched()
            self._told = {wearer: told for wearer, told in self._told.items() if wearer in watched}
            for wearer in watched:
                try:
                    await self._tell(wearer)
                except Exception:  # noqa: BLE001  # one wearer's trouble must not end everybody's page
                    _log.exception("the page of %s could not be brought up to date", wearer)

    async def everything(self, wearer: str, box: Mailbox) -> None:
        """Put every part into one mailbox: what a browser needs that comes, or comes back."""
        context = await self._desk.context(wearer)
        for name in PARTS:
            box.put(f"part:{name}", _part(name, self._desk.part(name, context)))

    async def _tell(self, wearer: str) -> None:
        context = await self._desk.context(wearer)
        told = self._told.setdefault(wearer, {})
        for name in PARTS:
            html = self._desk.part(name, context)
            key = part_key(name, context, html)
            if told.get(name) != key:
                told[name] = key
                self._hub.tell(wearer, f"part:{name}", _part(name, html))


async def stream(hub: Hub, parts: LiveParts | None, wearer: str, still_allowed: Callable[[], bool]) -> Response:
    """The stream of one browser, for as long as it is allowed; 503 where too many watch already."""
    watched = wearer if parts is not None else f"{wearer}{RAW}"
    box = hub.watch(watched)
    if box is None:
        return PlainTextResponse("too many browsers are watching: close one", 503, {"retry-after": "30"})
    return StreamingResponse(
        _items(hub, parts, watched, box, still_allowed),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def raw_stream(hub: Hub, wearer: str, still_allowed: Callable[[], bool]) -> Response:
    """Results as JSON for a program, for as long as it is allowed; of each kind a slow reader gets the newest."""
    return await stream(hub, None, wearer, still_allowed)


async def _items(
    hub: Hub, parts: LiveParts | None, wearer: str, box: Mailbox, still_allowed: Callable[[], bool]
) -> AsyncIterator[str]:
    try:
        yield f"retry: {_RETRY_MS}\n\n"
        if parts is not None:
            await parts.everything(wearer, box)
        asked = time.monotonic()
        while not box.closed:
            try:
                items = await asyncio.wait_for(box.take(), _BEAT_S)
            except TimeoutError:
                if not still_allowed():
                    return
                yield "event: beat\ndata: {}\n\n"
                continue
            if time.monotonic() - asked > _BEAT_S:
                asked = time.monotonic()
                if not still_allowed():
                    return
            yield "".join(f"event: {name.partition(':')[0]}\ndata: {data}\n\n" for name, data in items)
    finally:
        hub.unwatch(wearer, box)


def _part(name: str, html: str) -> str:
    facts: dict[str, Any] = {"id": name, "html": html}
    return json.dumps(facts, separators=(",", ":"))
