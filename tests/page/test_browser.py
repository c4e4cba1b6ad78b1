"""The page in a real browser: live, asleep and awake, by keyboard, in the dark, and under axe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dashboards.page import Role, certificates, create_app
from sagittal.messages import Command, DeviceState, SilenceReason
from sagittal.names import PostureLabel
from sagittal.results import Angles, Event
from sagittal.settings import Settings, Wearer
from sagittal.units import NS_PER_S
from tests.conftest import free_port
from tests.page.conftest import Served, serve
from tests.page.fakes import NOW_NS, VERSION, MemoryLive, MemoryReader, a_day, a_walk, health, posture

pytestmark = pytest.mark.chromium
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
}


@pytest.fixture(scope="module")
def two_wearers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    reader = MemoryReader()
    a_day(reader, "w1")
    a_day(reader, "w2")
    settings = Settings(data_dir=tmp_path_factory.mktemp("axe"), wearers=[Wearer(id="new")])
    app = create_app(lambda: reader, MemoryLive(), settings, now_ns=lambda: NOW_NS)
    port = free_port()
    server, thread = serve(app, port)
    yield f"http://127.0.0.1:{port}"
    app.state.page.hub.from_thread_close()
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def guarded(tmp_path: Path, serve_app: Callable[[Any], str]) -> tuple[str, MemoryLive]:
    """A page that asks for a log-in; w1 has a password."""
    reader, live = MemoryReader(), MemoryLive()
    a_day(reader, "w1")
    certificates(tmp_path / "tls", ["127.0.0.1"])
    app = create_app(lambda: reader, live, Settings(data_dir=tmp_path), now_ns=lambda: NOW_NS, log_in=True)
    app.state.page.access.add_actor("w1", Role.WEARER, "w1", "correct horse")
    return serve_app(app), live


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    contexts = []

    def open_(url: str, viewport: dict[str, int] | None = None, **options: object) -> Page:
        context = browser.new_context(viewport=viewport or PHONE, **options)  # type: ignore[arg-type]
        contexts.append(context)
        shown = context.new_page()
        problems: list[str] = []
        shown.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        shown.on("pageerror", lambda error: problems.append(str(error)))
        shown.problems = problems  # type: ignore[attr-defined]
        shown.goto(url)
        return shown

    yield open_
    for context in contexts:
        context.close()


def test_posture_and_angles_move_live(page: Served, open_page: Callable[..., Page]) -> None:
    shown = open_page(f"{page.url}/w/w1")
    expect(shown.locator(".label")).to_have_text("Sitting")
    page.live.result("w1", posture(NOW_NS, PostureLabel.WALKING, cadence_spm=104.0))
    expect(shown.locator(".label")).to_have_text("Walking")
    expect(shown.locator(".swing-a")).to_have_count(1)
    for _ in range(3):
        page.live.result("w1", Angles(t_ns=NOW_NS, dt_ns=10**8, flexion_deg=[33.0] * 5, lateral_deg=[7.0] * 5))
    expect(shown.locator("[data-axis=flexion]")).to_have_attribute("transform", re.compile(r"^rotate\(3(2\.[5-9]|3\.)"))
    expect(shown.locator("[data-axis=lateral]")).to_have_attribute("transform", re.compile(r"^rotate\((6\.[5-9]|7\.)"))
    assert shown.problems == []  # type: ignore[attr-defined]


def test_nothing_is_wider_than_the_phone(page: Served, open_page: Callable[..., Page]) -> None:
    for width in (320, 390):
        shown = open_page(f"{page.url}/w/w1", {"width": width, "height": 700})
        assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_a_browser_that_was_away_catches_up(page: Served, open_page: Callable[..., Page]) -> None:
    shown = open_page(f"{page.url}/w/w1")
    expect(shown.locator(".label")).to_have_text("Sitting")
    shown.context.set_offline(True)
    page.live.result("w1", posture(NOW_NS, PostureLabel.LYING, detail="supine"))
    shown.context.set_offline(False)
    shown.evaluate("dispatchEvent(new Event('online'))")
    expect(shown.locator(".label")).to_have_text("Lying")


def test_a_lost_page_says_so(page: Served, open_page: Callable[..., Page]) -> None:
    shown = open_page(f"{page.url}/w/w1")
    shown.clock.install()
    shown.reload()
    expect(shown.locator("#lost")).to_be_hidden()
    shown.route("**/live", lambda route: route.abort())
    shown.evaluate("dispatchEvent(new Event('online'))")
    shown.clock.fast_forward(12_000)
    expect(shown.locator("#lost")).to_be_visible()
    shown.unroute("**/live")
    shown.evaluate("dispatchEvent(new Event('online'))")
    expect(shown.locator("#lost")).to_be_hidden()


def test_an_offline_broker_and_a_silent_sensor_are_shown_with_their_reason(
    page: Served, open_page: Callable[..., Page]
) -> None:
    shown = open_page(f"{page.url}/w/w1")
    page.live.device("w1", health(NOW_NS, DeviceState.WAITING, SilenceReason.LINK_LOST))
    expect(shown.locator("#alerts")).to_contain_text("The connection to the sensor was lost")
    page.live.link(False)
    expect(shown.locator("#alerts")).to_contain_text("The message broker can't be reached")
    page.live.link(True)
    page.live.device("w1", health(NOW_NS))
    expect(shown.locator("#alerts .alert")).to_have_count(0)


@pytest.mark.parametrize(
    ("event", "text", "shown_text"),
    [
        ("calibrated", "Upright is set.", "Done. Upright is set."),
        ("calibration_failed", "You moved.", "That did not work. You moved."),
    ],
)
def test_calibrating_is_guided_to_its_result(
    page: Served, open_page: Callable[..., Page], event: str, text: str, shown_text: str
) -> None:
    shown = open_page(f"{page.url}/w/w1")
    shown.get_by_role("button", name="Calibrate").focus()
    shown.keyboard.press("Enter")
    shown.clock.install()
    shown.get_by_role("button", name="Start").click()
    expect(shown.locator(".say")).to_have_text("Get ready")
    assert page.live.sent == []
    for _ in range(5):
        shown.clock.run_for(1000)
    expect(shown.locator(".say")).to_have_text("Stand still")
    [(_topic, payload)] = page.live.sent
    assert Command.model_validate_json(payload).verb == "calibrate"
    result = Event(t_ns=NOW_NS + NS_PER_S, event=event, text=text, version=VERSION)  # type: ignore[arg-type]
    page.live.result("w1", result)
    expect(shown.locator(".say")).to_have_text(shown_text)
    shown.keyboard.press("Escape")
    expect(shown.locator("dialog")).to_be_hidden()


def test_calibrating_without_an_answer_says_so(page: Served, open_page: Callable[..., Page]) -> None:
    shown = open_page(f"{page.url}/w/w1")
    shown.get_by_role("button", name="Calibrate").click()
    shown.clock.install()
    shown.get_by_role("button", name="Start").click()
    for _ in range(40):
        shown.clock.run_for(1000)
    expect(shown.locator(".say")).to_contain_text("No answer from the analysis")
    expect(shown.get_by_role("button", name="Try again")).to_be_enabled()


def test_it_works_without_its_script(page: Served, open_page: Callable[..., Page]) -> None:
    shown = open_page(f"{page.url}/w/w1", java_script_enabled=False)
    expect(shown.locator(".label")).to_have_text("Sitting")
    shown.get_by_role("button", name="Calibrate").click()
    expect(shown.get_by_role("status").first).to_contain_text("Stand still now")
    assert len(page.live.sent) == 1


PATHS = (
    "/",
    "/w/w1",
    "/w/w1/days",
    "/w/w1/days?span=month",
    "/w/w1/diary",
    "/w/w1/rights",
    "/w/w1?day=2026-11-23",
    "/w/new",
    "/w/nobody",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_nothing_on_any_page(
    two_wearers: str, open_page: Callable[..., Page], viewport: dict[str, int], scheme: str
) -> None:
    shown = open_page(two_wearers, viewport, color_scheme=scheme)
    for path in PATHS:
        shown.goto(two_wearers + path)
        held_to_axe(shown)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_one_logs_in_and_while_something_is_said(
    guarded: tuple[str, MemoryLive], open_page: Callable[..., Page], scheme: str
) -> None:
    url, live = guarded
    shown = open_page(f"{url}/login", color_scheme=scheme)
    for path in ("/login", "/pair", "/install"):
        shown.goto(url + path)
        held_to_axe(shown)
    shown.goto(f"{url}/login")
    shown.get_by_label("Name").fill("w1")
    shown.get_by_label("Password").fill("correct horse")
    shown.get_by_role("button", name="Log in").click()
    expect(shown.locator(".label")).to_have_text("Sitting")
    shown.wait_for_timeout(300)
    live.result("w1", Event(t_ns=NOW_NS, event="nudge", text="Sitting slouched for 60 seconds.", version=VERSION))
    expect(shown.get_by_role("button", name="Close")).to_be_visible()
    held_to_axe(shown)


def held_to_axe(shown: Page) -> None:
    shown.evaluate("document.querySelectorAll('details').forEach((one) => { one.name = ''; one.open = true; })")
    found = Axe().run(shown, options=AXE_OPTIONS).response
    assert [(shown.url, v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
    assert len(found["passes"]) > 10


def test_a_sleeping_browser_does_not_slow_the_others(page: Served, open_page: Callable[..., Page]) -> None:
    asleep = open_page(f"{page.url}/w/w1")
    awake = open_page(f"{page.url}/w/w1")
    session = asleep.context.new_cdp_session(asleep)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    for i in range(2000):
        page.live.result(
            "w1", Angles(t_ns=NOW_NS, dt_ns=10**8, flexion_deg=[float(i % 40)] * 10, lateral_deg=[0.0] * 10)
        )
    page.live.result("w1", posture(NOW_NS, PostureLabel.STANDING))
    expect(awake.locator(".label")).to_have_text("Standing")
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect(asleep.locator(".label")).to_have_text("Standing")


def test_a_pain_mark_takes_two_taps_and_loses_nothing_typed(page: Served, open_page: Callable[..., Page]) -> None:
    shown = open_page(f"{page.url}/w/w1")
    shown.get_by_text("Note, tags").click()
    shown.get_by_label("Note", exact=True).fill("half a sentence")
    shown.get_by_text("Back", exact=True).click()
    shown.get_by_role("button", name="Back 4").click()
    expect(shown.get_by_text("Noted.")).to_be_visible()
    page.live.result("w1", posture(NOW_NS, PostureLabel.STANDING))
    expect(shown.locator(".label")).to_have_text("Standing")
    assert shown.locator("textarea").input_value() == "half a sentence"
    assert Command.model_validate_json(page.live.sent[0][1]).values == {"pain_back": 4}


def test_a_nudge_is_shown_and_goes_when_it_is_followed(page: Served, open_page: Callable[..., Page]) -> None:
    shown = open_page(f"{page.url}/w/w1")
    expect(shown.locator("#toast")).to_be_hidden()
    shown.wait_for_timeout(300)
    nudge = Event(t_ns=NOW_NS, event="nudge", text="Leaning forwards for 60 seconds.", version=VERSION)
    page.live.result("w1", nudge)
    expect(shown.locator("#toast p")).to_have_text("Leaning forwards for 60 seconds.")
    page.live.result("w1", Event(t_ns=NOW_NS + 1, event="nudge_followed", version=VERSION))
    expect(shown.locator("#toast")).to_be_hidden()


def test_a_wrong_nudge_is_marked_where_it_is_shown_and_an_old_one_is_not(
    page: Served, open_page: Callable[..., Page]
) -> None:
    shown = open_page(f"{page.url}/w/w1")
    shown.wait_for_timeout(300)
    old = Event(t_ns=NOW_NS - 60 * NS_PER_S, event="nudge", text="Long ago.", version=VERSION)
    page.live.result("w1", old)
    nudge = Event(t_ns=NOW_NS - NS_PER_S, event="nudge", text="Sitting slouched.", version=VERSION)
    page.live.result("w1", nudge)
    expect(shown.locator("#toast p")).to_have_text("Sitting slouched.")
    shown.locator("#toast").get_by_role("button", name="That one was wrong").click()
    expect(shown.locator("#toast p")).to_have_text("Noted.")
    [(_topic, payload)] = page.live.sent
    assert Command.model_validate_json(payload).values == {"wrong": True, "nudge_ns": nudge.t_ns}
    page.live.result("w1", Event(t_ns=NOW_NS, event="reminder", text="Dr C: ten slow tilts", version=VERSION))
    expect(shown.locator("#toast p")).to_have_text("Dr C: ten slow tilts")
    expect(shown.locator("#toast").get_by_role("button", name="That one was wrong")).to_be_hidden()


def test_choices_are_made_on_the_page_and_what_was_opened_stays_open(
    page: Served, open_page: Callable[..., Page]
) -> None:
    shown = open_page(f"{page.url}/w/w1")
    shown.get_by_text("When to nudge").click()
    shown.get_by_label("Held for (seconds)").fill("120")
    shown.get_by_role("button", name="Use these").click()
    expect(shown.get_by_text("Noted.")).to_be_visible()
    values = Command.model_validate_json(page.live.sent[0][1]).values
    assert (values["delay_s"], values["threshold_deg"], values["break_after_min"]) == (120.0, "own", "off")
    shown.get_by_text("What was looked for").click()
    page.reader.add("w1", a_walk(NOW_NS - 600 * NS_PER_S, 240.0))
    expect(shown.locator("#walks")).to_contain_text("14:16")
    expect(shown.locator("#patterns details")).to_have_attribute("open", "")
    expect(shown.locator("#patterns")).to_contain_text("of 5 walks", timeout=10_000)


def test_every_part_can_be_reached_by_keyboard(page: Served, open_page: Callable[..., Page]) -> None:
    shown = open_page(f"{page.url}/w/w1")
    shown.keyboard.press("Tab")
    expect(shown.get_by_text("Skip to content")).to_be_focused()
    reached = set()
    for _ in range(60):
        shown.keyboard.press("Tab")
        reached.add(shown.evaluate("document.activeElement.textContent.trim()"))
    for name in ("Week", "Calibrate", "Back", "Left knee", "Nudge me", "Walk"):
        assert any(name in text for text in reached), name
