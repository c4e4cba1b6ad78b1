"""The API fuzzed from its own OpenAPI: no 5xx, nothing undeclared, no ignored token."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboards.page import Role, create_app
from sagittal.settings import Settings, Wearer
from tests.page.fakes import NOW_NS, MemoryLive, MemoryReader, a_day


def test_schemathesis_finds_nothing(tmp_path: Path, serve_app: Callable[[Any], str]) -> None:
    pytest.importorskip("schemathesis")
    reader = MemoryReader()
    for name in ("w1", "w2"):
        a_day(reader, name)
    settings = Settings(data_dir=tmp_path, wearers=[Wearer(id="w1", time_zone="Europe/Berlin")])
    app = create_app(lambda: reader, MemoryLive(), settings, now_ns=lambda: NOW_NS, log_in=True)
    book = app.state.page.access
    book.add_actor("w1", Role.WEARER, "w1")
    url = serve_app(app)
    command = [sys.executable, "-m", "tests.page.fuzz", "run", f"{url}/api/v1/openapi.json", "--continue-on-failure"]
    command += ["-n", "5", "--phases", "fuzzing", "--seed", "1", "--exclude-path-regex", "/live$", "--no-color"]
    command += ["-H", f"Authorization: Bearer {book.token('w1')}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, cwd=Path(__file__).parents[2])
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    found = re.search(r"(\d+) generated, (\d+) passed", said)
    assert found is not None, said[-2000:]
    assert int(found.group(2)) >= 90
    outcomes = {row.outcome for row in book.audit()}
    assert {"seen", "refused", "bad token", "no log-in"} <= outcomes, "the checks did knock where nobody may go"
