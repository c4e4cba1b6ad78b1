"""First run to first nudge and a diary mark all the way to the measurement, with the real parts and a real browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from sagittal import broker
from sagittal.cli._drain import serve
from sagittal.cli._sources import simulated_feed
from sagittal.names import Site
from sagittal.settings import Broker, Settings
from sagittal.units import NS_PER_S
from simulators.fleet import Wish, member
from tests.conftest import free_port, stop, wait_for_port
from tests.e2e.rig import ROOT
from tests.page.test_browser import DESKTOP, PHONE
from tests.sinks.conftest import Place, place_on
from tests.sinks.servers import InfluxServer, until

pytestmark = [pytest.mark.chromium, pytest.mark.slow]
SPEED = 8.0
AHEAD_S = 45
"""How far in the past the wearer's minute begins, so that the slouch is told about when it is now."""


@dataclass
class Home:
    """Broker, worker and page as processes over one folder, and a wearable that can be switched on."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    url: str = ""
    off: threading.Event = field(default_factory=threading.Event)
    wearable: threading.Thread | None = None

    def start(self) -> None:
        """Start the parts as a supervisor would."""
        ports = {"broker": free_port(), "page": free_port()}
        settings = Settings(data_dir=self.folder, broker=Broker(port=ports["broker"]))
        self.environment |= {
            "SAGITTAL_DATA_DIR": str(self.folder),
            "SAGITTAL_BROKER__PORT": str(ports["broker"]),
            "SAGITTAL_WEARERS": json.dumps([{"id": "w1", "time_zone": "Europe/Berlin"}]),
            "SAGITTAL_WORKER__COMMIT_S": "0.3",
            "PYTHONPATH": str(ROOT),
        }
        self._run(broker.command(settings), ports["broker"])
        self._run([sys.executable, "-m", "sagittal.cli", "worker"], None)
        self._run([sys.executable, "-m", "sagittal.cli", "page", "--port", str(ports["page"])], ports["page"])
        self.url = f"http://127.0.0.1:{ports['page']}"
        bridging = settings.model_copy(update={"data_dir": self.folder / "bridge"})
        one = member(Wish(scenario="demo", seed=7, sites=(Site.LOWER_BACK,)), 0, "w1")

        def wear() -> None:
            begun = time.time_ns() - AHEAD_S * NS_PER_S
            start_ns = begun - round(one.begin_s * NS_PER_S)
            feed = simulated_feed(one, Site.LOWER_BACK, "back", start_ns, begun, speed=SPEED)
            serve(bridging, [feed], lambda: None, 5.0, self.off)

        self.wearable = threading.Thread(target=wear, daemon=True)

    def stop(self) -> None:
        """Switch the wearable off and end every part."""
        self.off.set()
        if self.wearable is not None and self.wearable.is_alive():
            self.wearable.join(20)
        for process in reversed(self.processes):
            stop(process)

    def _run(self, command: list[str], port: int | None) -> None:
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, env=os.environ | self.environment, stdout=quiet, stderr=quiet)
        self.processes.append(process)
        if port is not None:
            wait_for_port(port, process, 30.0)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def grafana(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place | None]:
    """The database behind Grafana, where one is at hand."""
    binary = os.environ.get("INFLUXD")
    if not binary:
        yield None
        return
    server = InfluxServer(binary, tmp_path_factory.mktemp("influx"))
    found = place_on(server, tmp_path_factory.mktemp("place"))
    yield found
    found.sink.close()
    server.stop()


def test_from_the_first_run_to_the_first_nudge_and_a_mark_in_the_database(
    home: Home, grafana: Place | None, browser: Browser
) -> None:
    if grafana is not None:
        about = grafana.settings.influx.model_dump(mode="json", exclude={"token"})
        home.environment["SAGITTAL_INFLUX"] = json.dumps({name: one for name, one in about.items() if one is not None})
    home.start()
    phone = browser.new_context(viewport=PHONE).new_page()  # type: ignore[arg-type]
    desk = browser.new_context(viewport=DESKTOP).new_page()  # type: ignore[arg-type]
    for shown in (phone, desk):
        shown.goto(f"{home.url}/w/w1")
        expect(shown.get_by_role("heading", name="First steps")).to_be_visible()
        expect(shown.get_by_role("img", name="Where the sensor goes")).to_be_visible()
        expect(shown.locator("#now")).to_contain_text("Waiting for the first samples")
    phone.get_by_text("When to nudge").click()
    phone.get_by_label("Held for (seconds)").fill("5")
    said = phone.get_by_role("region", name="Nudges").locator(".said")
    for _ in range(40):  # until the analysis is there to hear it, the page says that it is not
        phone.get_by_role("button", name="Use these").click()
        expect(said).to_have_text(re.compile(r"Noted\.|The analysis is not running"))
        phone.wait_for_timeout(700)
        if said.text_content() == "Noted.":
            break
    phone.get_by_role("button", name="Nudge me", exact=True).click()
    assert home.wearable is not None
    home.wearable.start()
    expect(phone.locator(".label")).to_have_text("Walking", timeout=40_000)
    for shown in (phone, desk):
        expect(shown.locator("#toast p")).to_contain_text("Would another posture feel better?", timeout=60_000)
        expect(shown.get_by_role("heading", name="First steps")).to_have_count(0)
    expect(phone.locator("#nudges")).to_contain_text("Nudging")
    expect(phone.locator("#nudges")).to_contain_text(re.compile(r"[1-4] today"), timeout=10_000)
    expect(phone.locator("#walks")).to_contain_text("steady")
    phone.get_by_text("Back", exact=True).click()
    phone.get_by_role("button", name="Back 6").click()
    expect(phone.locator("#diary")).to_contain_text("Back 6", timeout=10_000)
    if grafana is None:
        return

    def mark() -> bool:
        return any(row.get("event") == "diary" and row.get("values.pain_back") == 6.0 for row in grafana.rows("event"))

    until(mark, 20.0)
