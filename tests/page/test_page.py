"""The page over HTTP: what it says, what it refuses, what it streams."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import httpx
import pytest

from dashboards._day import MINUTE_NS, day_bounds, read_day
from dashboards._words import catalogue
from dashboards.page import create_app
from dashboards.page._desk import PARTS
from dashboards.page._hub import MAX_WATCHERS, Hub, Mailbox
from dashboards.page._view import day_view
from sagittal.errors import StoreError
from sagittal.messages import Command, DeviceState, SilenceReason, Status
from sagittal.names import PostureLabel
from sagittal.protocols import Reader
from sagittal.results import NOTICE, Angles, Event, Exposure, Minute
from sagittal.settings import Settings
from sagittal.topics import command_topic, status_topic
from sagittal.units import NS_PER_S
from tests.page.conftest import Served
from tests.page.fakes import BERLIN, NOW_NS, VERSION, MemoryLive, MemoryReader, health, posture

WEIGHT_LIMIT = 15_000
"""Bytes on the wire of the whole first view: the project's own limit."""


def lines(url: str) -> Iterator[str]:
    with httpx.Client(timeout=10) as client, client.stream("GET", url) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield from answer.iter_lines()


def until(url: str, done: Callable[[str, dict[str, object]], bool]) -> list[tuple[str, dict[str, object]]]:
    seen: list[tuple[str, dict[str, object]]] = []
    name = ""
    for line in lines(url):
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            seen.append((name, json.loads(line.removeprefix("data: "))))
            if done(*seen[-1]):
                break
    return seen


def test_the_page_says_what_is_and_what_the_day_was(page: Served) -> None:
    html = httpx.get(f"{page.url}/w/w1").text
    assert "Sitting" in html
    assert "for 12 min, since 14:14" in html
    assert "14° forwards" in html
    assert "4° to the left" in html
    assert "Tue 24 Nov 2026" in html
    assert re.search(r"Walking</th><td>48 min</td>", html)
    assert re.search(r"bends <small>beyond 20°</small></dt><dd>31</dd>", html)
    assert "4 walks" in html
    assert "battery 78 %" in html
    assert "Last calibrated 07:00" in html
    assert NOTICE.replace("'", "&#39;") in html


def test_the_whole_first_view_weighs_little(page: Served) -> None:
    with httpx.Client(headers={"accept-encoding": "gzip"}) as client:
        urls = [f"{page.url}/w/w1"]
        urls += [
            page.url + found
            for found in re.findall(r'(?:href|src)="(/static/(?!icon-)[^"]+)"', client.get(urls[0]).text)
        ]
        sizes = {}
        for url in urls:
            with client.stream("GET", url) as answer:
                sizes[url] = sum(len(chunk) for chunk in answer.iter_raw())
    print(f"\nthe first view: {sum(sizes.values())} bytes in {len(sizes)} requests: {sizes}")
    assert len(urls) == 5
    assert sum(sizes.values()) <= WEIGHT_LIMIT


def test_what_was_noticed_stands_with_the_day_in_the_words_of_the_analysis(page: Served) -> None:
    for at, name, text in (
        (1, "sensor_moved", "The sensor has moved."),
        (2, "hold", ""),
        (3, "relief", "After a rest."),
    ):
        t_ns = NOW_NS - at * NS_PER_S
        page.reader.add("w1", Event(t_ns=t_ns, event=name, text=text, version=VERSION))  # type: ignore[arg-type]
    page.reader.add("w1", posture(NOW_NS, detail="something new"))
    html = httpx.get(f"{page.url}/w/w1").text
    assert html.index("The sensor has moved.") < html.index("After a rest."), "the latest first"
    assert re.search(r"held bends <small>over 4 s</small></dt><dd>1</dd>", html)
    assert "something new" in html, "a detail that has no word yet is shown as it is"
    assert 'name="method" value="bends"' in html


def test_one_wearer_is_shown_at_once_and_two_are_a_list(make_page: Callable[..., Served], page: Served) -> None:
    answer = httpx.get(page.url)
    assert (answer.status_code, answer.headers["location"]) == (303, "/w/w1")
    listed = httpx.get(make_page(wearers=("w1", "w2")).url).text
    assert 'href="/w/w1"' in listed
    assert 'href="/w/w2"' in listed


@pytest.mark.parametrize("path", ["/w/nobody", "/w/UPPER", "/w/a%2Fb", "/nothing", "/static/../_app.py", "/w/w1/other"])
def test_what_is_not_there_is_404(page: Served, path: str) -> None:
    assert httpx.get(page.url + path).status_code == 404


@pytest.mark.parametrize("day", ["yesterday", "2026-13-01", "0001-01-01", "9999-12-31", ""])
def test_a_day_that_is_none_is_refused(page: Served, day: str) -> None:
    assert httpx.get(f"{page.url}/w/w1", params={"day": day}).status_code == 400


def test_another_day_is_shown_without_live_values(page: Served) -> None:
    html = httpx.get(f"{page.url}/w/w1?day=2026-11-23").text
    assert "Nothing recorded on this day." in html
    assert "data-live" not in html


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8420", "", "127.0.0.1.evil.example", "[::2]"])
def test_a_foreign_host_is_refused(page: Served, host: str) -> None:
    assert httpx.get(f"{page.url}/w/w1", headers={"host": host}).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
    ],
)
def test_a_wish_from_another_site_is_refused(page: Served, headers: dict[str, str]) -> None:
    assert httpx.post(f"{page.url}/w/w1/wish/calibrate", headers=headers).status_code == 403
    assert page.live.sent == []


def test_the_headers_are_strict(page: Served) -> None:
    headers = httpx.get(f"{page.url}/w/w1").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    html = httpx.get(f"{page.url}/w/w1").text
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script>", html)


def test_calibrating_sends_the_wish_once(page: Served) -> None:
    answer = httpx.post(f"{page.url}/w/w1/wish/calibrate", headers={"origin": page.url})
    assert (answer.status_code, answer.headers["location"]) == (303, "/w/w1?sent=calibrate")
    [(topic, payload)] = page.live.sent
    wish = Command.model_validate_json(payload)
    assert topic == command_topic("w1", "calibrate")
    assert (wish.wearer, wish.verb, wish.values) == ("w1", "calibrate", {"method": "stand"})


def test_a_wish_that_cannot_be_sent_says_why(make_page: Callable[..., Served]) -> None:
    page = make_page(up=False)
    answer = httpx.post(f"{page.url}/w/w1/wish/calibrate", headers={"origin": page.url, "accept": "application/json"})
    assert answer.status_code == 503
    assert "can't be reached" in answer.json()["detail"]


def test_a_wish_that_nobody_would_hear_is_not_called_sent(make_page: Callable[..., Served]) -> None:
    served = make_page()
    status = Status(state="offline", t_ns=NOW_NS)
    served.live.say(status_topic("worker", "one"), status.to_json())
    deadline = time.monotonic() + 10
    while calibrate(served).status_code != 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "The analysis is not running" in calibrate(served).text
    sent = len(served.live.sent)
    served.live.say(status_topic("worker", "two"), Status(state="online", t_ns=NOW_NS).to_json())
    while calibrate(served).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(served.live.sent) > sent


def test_a_live_source_that_tells_of_parts_and_names_none_has_none() -> None:
    now = {"s": 100.0}
    silent, telling = Hub(lambda: now["s"]), Hub(lambda: now["s"], tells_parts=True)
    for hub in (silent, telling):
        hub.link(True, "")
    assert silent.heeded
    assert not telling.heeded
    assert not telling.absent("worker"), "it may still be heard of"
    now["s"] += 10
    assert telling.absent("worker")
    assert telling.absent("bridge")
    assert not silent.absent("worker")
    telling.message(status_topic("worker", "one"), Status(state="online", t_ns=NOW_NS).to_json())
    assert telling.heeded
    assert not telling.absent("worker")
    telling.link(False, "gone")
    assert not telling.absent("bridge"), "without a broker that is the first cause"


def calibrate(page: Served) -> httpx.Response:
    headers = {"origin": page.url, "accept": "application/json"}
    return httpx.post(f"{page.url}/w/w1/wish/calibrate", headers=headers)


def test_a_browser_that_comes_gets_everything_and_then_what_changes(page: Served) -> None:
    parts = until(f"{page.url}/w/w1/live", lambda _name, data: data.get("id") == "device")
    assert [data["id"] for name, data in parts if name == "part"] == list(PARTS)

    def walking(name: str, data: dict[str, object]) -> bool:
        page.live.result("w1", posture(NOW_NS, PostureLabel.WALKING, cadence_spm=111.6))
        return name == "part" and data["id"] == "now" and "112 steps a minute" in str(data["html"])

    assert until(f"{page.url}/w/w1/live", walking)


def test_angles_go_through_at_once(page: Served) -> None:
    def angles(name: str, _data: dict[str, object]) -> bool:
        page.live.result("w1", Angles(t_ns=NOW_NS, dt_ns=10**8, flexion_deg=[1.5, None], lateral_deg=[0.0, 2.0]))
        return name == "angles"

    assert until(f"{page.url}/w/w1/live", angles)[-1][1] == {
        "dt": 100.0,
        "flexion": [1.5, None],
        "lateral": [0.0, 2.0],
    }


def see(page: Served, text: str) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        html = httpx.get(f"{page.url}/w/w1").text
        if text in html:
            return html
        time.sleep(0.05)
    pytest.fail(f"the page never says {text!r}")


@pytest.mark.parametrize("reason", list(SilenceReason))
def test_a_silent_sensor_says_why_and_what_to_do(page: Served, reason: SilenceReason) -> None:
    page.live.device("w1", health(NOW_NS, DeviceState.OFFLINE, reason))
    see(page, catalogue()[f"reason.{reason}"].replace("'", "&#39;"))


def test_an_absent_broker_bridge_or_worker_is_named(page: Served) -> None:
    gone = Status(state="offline", t_ns=NOW_NS)
    page.live.say(status_topic("worker", "worker"), gone.to_json())
    see(page, "The analysis is not running")
    page.live.say(status_topic("bridge", "bridge"), gone.to_json())
    see(page, "No bridge is running")
    page.live.link(False)
    see(page, "The message broker can&#39;t be reached")


def test_old_data_is_never_called_now(page: Served) -> None:
    page.clock["now_ns"] = NOW_NS + 3600 * NS_PER_S
    html = httpx.get(f"{page.url}/w/w1").text
    assert "Last seen 14:26" in html
    assert "Nothing heard since 14:26" in html


def test_a_recording_that_is_replayed_says_of_when(page: Served) -> None:
    old = int(datetime(2025, 6, 3, 10, 30, tzinfo=BERLIN).timestamp()) * NS_PER_S
    page.live.result("w1", posture(old))
    see(page, "Showing recorded data of Tue 3 Jun 2025, 10:30:00")


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"kind":"posture"}', b"\xff" * 100, b"9" * 100_000])
def test_rubbish_from_the_broker_harms_nothing(page: Served, payload: bytes) -> None:
    for topic in ("posture", "angles", "event", "walk", "lower_back/device"):
        page.live.say(f"sagittal/v1/w1/{topic}", payload)
    page.live.say("sagittal/v1/$worker/worker/status", payload)
    page.live.say("sagittal/v1/../w1", payload)
    page.live.result("w1", posture(NOW_NS, PostureLabel.LYING, detail="supine"))
    see(page, "Lying")


def test_a_store_that_is_not_there_yet_is_said_and_opened_later(settings: Settings) -> None:
    reader = MemoryReader()
    ready: list[Reader] = []

    def open_reader() -> Reader:
        if not ready:
            raise StoreError("no store at store.sqlite yet")
        return ready[0]

    async def run() -> None:
        app = create_app(open_reader, MemoryLive(), settings, now_ns=lambda: NOW_NS)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client,
        ):
            assert "no store at store.sqlite yet" in (await client.get("/w/w1")).text
            reader.add("w1", posture(NOW_NS))
            ready.append(reader)
            assert "Sitting" in (await client.get("/w/w1")).text
        assert reader.closed == 1

    asyncio.run(run())


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-24", 24)])
def test_a_day_is_the_wearers_own_with_clock_changes(day: str, hours: int) -> None:
    start, end = day_bounds(date.fromisoformat(day), BERLIN)
    assert end - start == hours * 3600 * NS_PER_S
    reader = MemoryReader()
    for minute in range(-60, hours * 60 + 60):
        t_ns = start + minute * 60 * NS_PER_S
        reader.add(
            "w1", Minute(t_ns=t_ns, exposure=Exposure(posture_s={"sitting": 60.0}, worn_s=60.0), version=VERSION)
        )
    data = read_day(reader, "w1", date.fromisoformat(day), BERLIN)
    assert data.posture_s == {"sitting": hours * 3600.0}
    assert [(s.start_ns, s.end_ns) for s in data.segments] == [(start, end)]
    other = read_day(reader, "w1", date.fromisoformat(day), ZoneInfo("Asia/Kolkata"))
    assert other.posture_s["sitting"] == 24 * 3600.0 - 3.5 * 3600.0 or other.worn_s > 0


def test_a_first_hour_is_shown_large() -> None:
    reader = MemoryReader()
    reader.add("w1", *(posture(NOW_NS + i * NS_PER_S) for i in range(90)))
    view = day_view(read_day(reader, "w1", date(2026, 11, 24), BERLIN), NOW_NS)
    assert "Posture from 14:25 to 14:40: Sitting 1 min" in view.band
    assert re.findall(r'text-anchor="\w+">([^<]+)<', view.band) == ["14:25", "14:30", "14:35", "14:40"]
    sums = Exposure(posture_s={"sitting": 60.0})
    starts = ((NOW_NS // MINUTE_NS - i) * MINUTE_NS for i in range(1, 40))
    reader.add("w1", *(Minute(t_ns=start, exposure=sums, version=VERSION) for start in starts))
    view = day_view(read_day(reader, "w1", date(2026, 11, 24), BERLIN), NOW_NS)
    assert re.findall(r'text-anchor="\w+">([^<]+)<', view.band) == ["13:40", "13:55", "14:10", "14:25", "14:40"]


async def test_a_slow_browser_keeps_only_the_newest_of_each_kind() -> None:
    box = Mailbox()
    for i in range(100_000):
        box.put("angles", str(i))
        box.put("part:now", f"now {i}")
    assert await box.take() == [("angles", "99999"), ("part:now", "now 99999")]


def test_more_browsers_than_may_watch_are_turned_away() -> None:
    hub = Hub()
    boxes = [hub.watch("w1") for _ in range(MAX_WATCHERS)]
    assert all(boxes)
    assert hub.watch("w2") is None
    assert boxes[0] is not None
    hub.unwatch("w1", boxes[0])
    assert hub.watch("w2") is not None
