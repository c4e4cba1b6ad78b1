"""The wearer's page on a throttled phone, beside a blank page with a heading in the same browser, and its weight.

Mobile of the early 2020s: 1.6 Mbit/s down, 150 ms round trip, a processor a quarter as fast (Lighthouse's "slow 4G").
`python -m benchmarks.phone` needs Chromium and playwright.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from starlette.responses import HTMLResponse

from dashboards.page import create_app
from sagittal.settings import Settings
from tests.conftest import free_port
from tests.page.conftest import ARGUMENTS, serve
from tests.page.fakes import NOW_NS, MemoryLive, MemoryReader, a_day

RUNS = 5
PHONE: Any = {"width": 390, "height": 844}
_BLANK = "<!doctype html><html lang=en><title>x</title><p class=label>Sitting"


def measure(browser: Browser, url: str) -> tuple[float, int, int]:
    """Seconds from asking to the first posture on the screen, bytes over the wire, and requests until it is live."""
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    network = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
    session.send("Network.emulateNetworkConditions", network)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    sizes: list[int] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    begun = time.monotonic()
    page.goto(url, wait_until="commit")
    page.wait_for_selector(".label")
    page.evaluate("new Promise(requestAnimationFrame)")
    took = time.monotonic() - begun
    page.wait_for_load_state("load")
    page.wait_for_timeout(500)
    context.close()
    return took, sum(sizes), len(sizes)


def main() -> None:
    """Print the figures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no chromium is on the PATH")
    reader = MemoryReader()
    a_day(reader, "w1")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        app = create_app(lambda: reader, MemoryLive(), Settings(data_dir=Path(folder)), now_ns=lambda: NOW_NS)
        app.add_api_route("/blank", lambda: HTMLResponse(_BLANK))
        port = free_port()
        server, thread = serve(app, port)
        browser = play.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        found = {
            name: [measure(browser, f"http://127.0.0.1:{port}{name}") for _ in range(RUNS)]
            for name in ("/blank", "/w/w1")
        }
        browser.close()
        app.state.page.hub.from_thread_close()
        server.should_exit = True
        thread.join(10)
    blank, page = (median(run[0] for run in found[name]) for name in ("/blank", "/w/w1"))
    _took, weight, requests = found["/w/w1"][-1]
    sys.stdout.write(
        f"first posture on a throttled phone: {page:.2f} s, {page / blank:.2f} times a blank page ({blank:.2f} s) in "
        f"the same browser; {weight / 1000:.1f} kB in {requests} requests (component framework: 542 kB, 3.8 s)\n"
    )


if __name__ == "__main__":
    main()
