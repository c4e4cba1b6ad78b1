"""A page that really listens, over a store and a broker in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, sync_playwright

from dashboards.page import create_app
from sagittal.settings import Settings, Wearer
from tests.conftest import free_port
from tests.page.fakes import NOW_NS, MemoryLive, MemoryReader, a_day

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@dataclass
class Served:
    """A running page and the ends that a test holds."""

    url: str
    reader: MemoryReader
    live: MemoryLive
    clock: dict[str, int] = field(default_factory=dict)


def serve(app: Any, port: int) -> tuple[uvicorn.Server, threading.Thread]:
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the page ended before it listened"
        assert time.monotonic() < deadline, "the page does not listen"
        time.sleep(0.02)
    return server, thread


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    wearer = Wearer(id="w1", time_zone="Europe/Berlin")
    return Settings(data_dir=tmp_path, wearers=[wearer])


@pytest.fixture
def serve_app() -> Iterator[Callable[[Any], str]]:
    running: list[tuple[Any, uvicorn.Server, threading.Thread]] = []

    def start(app: Any) -> str:
        port = free_port()
        running.append((app, *serve(app, port)))
        return f"http://127.0.0.1:{port}"

    yield start
    for app, server, thread in running:
        app.state.page.hub.from_thread_close()
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def make_page(settings: Settings, serve_app: Callable[[Any], str]) -> Callable[..., Served]:

    def make(*, wearers: tuple[str, ...] = ("w1",), up: bool = True, settings: Settings = settings) -> Served:
        reader, live, clock = MemoryReader(), MemoryLive(up=up), {"now_ns": NOW_NS}
        for wearer in wearers:
            a_day(reader, wearer)
        app = create_app(lambda: reader, live, settings, now_ns=lambda: clock["now_ns"])
        return Served(serve_app(app), reader, live, clock)

    return make


@pytest.fixture
def page(make_page: Callable[..., Served]) -> Served:
    return make_page()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()
