"""The documented API, `/api/v1`: read a wearer's results, ask for something, follow live."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBearer
from pydantic import AwareDatetime, BaseModel
from starlette.exceptions import HTTPException

from dashboards._words import word
from dashboards.doors import data_points, fhir_bundle
from dashboards.page._access import AuditRow, Consent
from dashboards.page._desk import Desk
from dashboards.page._gate import Gate
from dashboards.page._hub import Hub
from dashboards.page._shelf import Shelf
from dashboards.page._stream import raw_stream
from dashboards.page._wishes import WISHES, Wish
from sagittal.errors import BrokerError, StoreError
from sagittal.messages import Command
from sagittal.names import NAME_PATTERN
from sagittal.protocols import Reader
from sagittal.results import NOTICE, Day, Event, GapMark, Minute, Posture, Walk, result_key
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S

T = TypeVar("T")
MAX_ITEMS = 5000
_TOKEN = HTTPBearer(auto_error=False, scheme_name="token", description="From `sagittal access token`.")
"""Declares the token in the OpenAPI; the gate decides."""
_MAX_NS = 4 * 10**18
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2262, 1, 1, tzinfo=UTC)

Form = Literal["fhir", "ieee1752"]
WearerId = Annotated[str, Path(pattern=f"^{NAME_PATTERN}$", description="The wearer's pseudonym.")]
Start = Annotated[AwareDatetime, Query(description="From this instant on; RFC 3339 with an offset.")]
End = Annotated[AwareDatetime, Query(description="Before this instant; RFC 3339 with an offset.")]
Limit = Annotated[
    int, Query(ge=1, le=MAX_ITEMS, description="About so many items; those of one instant stay together.")
]
FromNs = Annotated[
    int | None, Query(ge=0, le=_MAX_NS, description="Where the page before ended: its `next_ns`; replaces `start`.")
]


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


class Items(BaseModel, Generic[T]):
    """A page of results, oldest first; `next_ns` is where the next page begins, null at the end. Times are UTC ns."""

    notice: str = NOTICE
    items: list[T]
    next_ns: int | None = None


class Wearers(BaseModel):
    """The wearers whom the asker may see."""

    notice: str = NOTICE
    wearers: list[str]


class Now(BaseModel):
    """The newest second of posture, and whether it is live."""

    notice: str = NOTICE
    live: bool
    age_s: float | None
    posture: Posture | None


class Devices(BaseModel):
    """The last known health of each site's wearable."""

    devices: dict[str, dict[str, Any]]


class EventStream(Response):
    """Server-sent events."""

    media_type = "text/event-stream"


class Sent(BaseModel):
    """The wish as it was sent."""

    id: str
    verb: str


class Rights(BaseModel):
    """Who may look, and who did."""

    consents: list[Consent]
    looks: list[AuditRow]


class SendWish(Protocol):
    """Sends a wish; raises BrokerError where it can't."""

    async def __call__(self, wearer: str, verb: str, values: dict[str, Any]) -> Command:
        """Send."""
        ...


@dataclass(frozen=True, slots=True)
class Api:
    """What the API stands on."""

    gate: Gate
    shelf: Shelf
    desk: Desk
    send: SendWish
    hub: Hub
    zones: Callable[[str], Wearer]
    now_ns: Callable[[], int]


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The host is foreign or the request makes no sense."},
    401: {"model": Problem, "description": "No log-in, or a token that opens nothing."},
    404: {"model": Problem, "description": "No such wearer, or not yours to see."},
    422: {"model": Problem, "description": "A value is missing or out of range: the detail says which."},
    503: {"model": Problem, "description": "The store or the broker is away: try again."},
}
WRITE_REFUSALS = REFUSALS | {403: {"model": Problem, "description": "You may look, but not change anything."}}


def router(api: Api) -> APIRouter:
    """The routes under `/api/v1`."""
    routes = APIRouter(prefix="/api/v1", responses=REFUSALS, dependencies=[Depends(_TOKEN)])
    _reading(routes, api)
    _lists(routes, api)
    _leaving(routes, api)
    _asking(routes, api)
    return routes


def _reading(routes: APIRouter, api: Api) -> None:
    @routes.get("/wearers", summary="The wearers whom you may see")
    async def wearers(request: Request) -> Wearers:
        viewer = api.gate.let_in(request)
        known = await api.desk.wearers()
        return Wearers(wearers=[name for name in known if api.gate.access.may_see(viewer, name)])

    @routes.get("/wearers/{wearer}/now", summary="The newest second of posture")
    async def now(request: Request, wearer: WearerId) -> Now:
        await _see(api, request, wearer)
        posture = (await api.desk.context(wearer))["posture"]
        age = None if posture is None else (api.now_ns() - posture.t_ns) / NS_PER_S
        return Now(live=api.hub.silent_s(wearer) <= 15.0, age_s=age, posture=posture)

    @routes.get("/wearers/{wearer}/devices", summary="The wearables and their health")
    async def devices(request: Request, wearer: WearerId) -> Devices:
        await _see(api, request, wearer)
        return Devices(devices=await _read(api, lambda reader: reader.devices(wearer)))

    @routes.get("/wearers/{wearer}/rights", summary="Who may look, and who did")
    async def rights(request: Request, wearer: WearerId) -> Rights:
        await _see(api, request, wearer)
        access = api.gate.access
        return Rights(consents=access.consents(wearer), looks=access.audit(wearer)[-MAX_ITEMS:])


def _lists(routes: APIRouter, api: Api) -> None:
    async def listed(
        request: Request, wearer: str, of: type[T], start: datetime, end: datetime, limit: int, from_ns: int | None
    ) -> Items[T]:
        await _see(api, request, wearer)
        first = _ns(start) if from_ns is None else from_ns
        kind = of.__name__.removesuffix("Mark").lower()

        def read(reader: Reader) -> Items[T]:
            shown: list[T] = []
            at = -1
            for row in reader.results(wearer, kind, first, _ns(end)):
                t_ns = result_key(row)[1]
                if len(shown) >= limit and t_ns != at:
                    return Items[T](items=shown, next_ns=t_ns)
                if isinstance(row, of):
                    shown.append(row)
                at = t_ns
            return Items[T](items=shown)

        return await _read(api, read)

    @routes.get("/wearers/{wearer}/posture", summary="Posture, one row a second")
    async def posture(
        request: Request, wearer: WearerId, start: Start, end: End, limit: Limit = 1000, from_ns: FromNs = None
    ) -> Items[Posture]:
        return await listed(request, wearer, Posture, start, end, limit, from_ns)

    @routes.get("/wearers/{wearer}/minutes", summary="Sums of each minute")
    async def minutes(
        request: Request, wearer: WearerId, start: Start, end: End, limit: Limit = 1000, from_ns: FromNs = None
    ) -> Items[Minute]:
        return await listed(request, wearer, Minute, start, end, limit, from_ns)

    @routes.get("/wearers/{wearer}/days", summary="Sums and metrics of each day")
    async def days(
        request: Request, wearer: WearerId, start: Start, end: End, limit: Limit = 1000, from_ns: FromNs = None
    ) -> Items[Day]:
        return await listed(request, wearer, Day, start, end, limit, from_ns)

    @routes.get("/wearers/{wearer}/walks", summary="Walking bouts")
    async def walks(
        request: Request, wearer: WearerId, start: Start, end: End, limit: Limit = 1000, from_ns: FromNs = None
    ) -> Items[Walk]:
        return await listed(request, wearer, Walk, start, end, limit, from_ns)

    @routes.get("/wearers/{wearer}/events", summary="Events: bends, nudges, diary entries and more")
    async def events(
        request: Request, wearer: WearerId, start: Start, end: End, limit: Limit = 1000, from_ns: FromNs = None
    ) -> Items[Event]:
        return await listed(request, wearer, Event, start, end, limit, from_ns)

    @routes.get("/wearers/{wearer}/gaps", summary="Stretches without usable samples")
    async def gaps(
        request: Request, wearer: WearerId, start: Start, end: End, limit: Limit = 1000, from_ns: FromNs = None
    ) -> Items[GapMark]:
        return await listed(request, wearer, GapMark, start, end, limit, from_ns)


def _leaving(routes: APIRouter, api: Api) -> None:
    @routes.get(
        "/wearers/{wearer}/export/{form}",
        summary="Days as a FHIR R4 collection, or as IEEE 1752.1 data points",
        response_class=JSONResponse,
    )
    async def export(request: Request, wearer: WearerId, form: Form, start: Start, end: End) -> JSONResponse:
        await _see(api, request, wearer)
        span = (_ns(start), _ns(end))

        def read(reader: Reader) -> tuple[list[Walk], list[Day], list[Event]]:
            def rows(kind: str, of: type[T]) -> list[T]:
                return [row for row in reader.results(wearer, kind, *span) if isinstance(row, of)]

            return rows("walk", Walk), rows("day", Day), rows("event", Event)

        walks, days, events = await _read(api, read)
        profile = api.zones(wearer)
        if form == "fhir":
            return JSONResponse(fhir_bundle(profile, days, events, api.now_ns()))
        return JSONResponse(list(data_points(profile, walks, days, events, api.now_ns())))

    @routes.get(
        "/wearers/{wearer}/live",
        summary="Results as they come, by server-sent events",
        description="Events `posture`, `angles`, `event`, `walk`, each with the result as JSON, and `beat`.",
        response_class=EventStream,
    )
    async def live(request: Request, wearer: WearerId) -> Response:
        await _see(api, request, wearer)

        def still_allowed() -> bool:
            viewer = api.gate.viewer(request)
            return viewer is not None and api.gate.access.may_see(viewer, wearer)

        return await raw_stream(api.hub, wearer, still_allowed)


def _asking(routes: APIRouter, api: Api) -> None:
    for verb, model in WISHES.items():
        _wish_route(routes, api, verb, model)


def _wish_route(routes: APIRouter, api: Api, verb: str, model: type[Wish]) -> None:
    async def ask(request: Request, wearer: str, body: Wish) -> Sent:
        await _see(api, request, wearer, write=True)
        sent = await send_wish(api.send, wearer, verb, body)
        return Sent(id=sent.id, verb=sent.verb)

    ask.__annotations__ |= {"request": Request, "wearer": WearerId, "body": model, "return": Sent}
    routes.add_api_route(
        f"/wearers/{{wearer}}/wishes/{verb}",
        ask,
        methods=["POST"],
        status_code=202,
        responses=WRITE_REFUSALS,
        summary=(model.__doc__ or verb).rstrip("."),
        operation_id=f"wish_{verb}",
    )


async def send_wish(send: SendWish, wearer: str, verb: str, wish: Wish) -> Command:
    """Send a wish; 503 where the broker is away."""
    try:
        given = wish.model_dump(mode="json", exclude_none=True)
        return await send(wearer, verb, {name: value for name, value in given.items() if value != ""})
    except BrokerError as error:
        raise HTTPException(503, word("calibrate.offline", detail=str(error))) from None


async def _see(api: Api, request: Request, wearer: str, *, write: bool = False) -> None:
    api.gate.let_see(request, wearer, write=write)
    if wearer not in await api.desk.wearers():
        raise HTTPException(404, word("error.unknown_wearer"))


async def _read(api: Api, do: Callable[[Reader], T]) -> T:
    try:
        return await api.shelf.read(do)
    except StoreError as error:
        raise HTTPException(503, str(error)) from None


def _ns(instant: datetime) -> int:
    since = min(max(instant, _FIRST), _LAST) - _FIRST
    return (since.days * 86_400 + since.seconds) * NS_PER_S + since.microseconds * 1000


def as_date(text: str) -> date:
    """A date such as 2026-11-24; 400 where it is none."""
    try:
        shown = date.fromisoformat(text)
    except ValueError:
        raise HTTPException(400, word("error.bad_day")) from None
    if not 1971 <= shown.year <= 2260:
        raise HTTPException(400, word("error.bad_day"))
    return shown
