"""What the tests need from outside, and what happens where it is absent."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
from hypothesis import settings as hypothesis_settings

# A deadline is a timed assertion: a busy machine would fail it.
hypothesis_settings.register_profile("sagittal", deadline=None)
hypothesis_settings.load_profile("sagittal")

REQUIRED = {name for name in os.environ.get("SAGITTAL_REQUIRE", "").split(",") if name}


def absent(what: str, reason: str) -> None:
    """Skip with a reason, or fail where `SAGITTAL_REQUIRE` says that it must be here."""
    if what in REQUIRED:
        pytest.fail(f"SAGITTAL_REQUIRE asks for {what}, but {reason}")
    pytest.skip(reason)


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[bytes], timeout_s: float = 15.0) -> None:
    """Return once something listens on the port; fail when the process ends first."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.fail(f"{process.args!r} ended with {process.returncode} before it listened")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"{process.args!r} does not listen on {port}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a started program for good."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


class Closes(Protocol):
    """Whatever must be closed."""

    def close(self) -> None: ...


_T = TypeVar("_T", bound=Closes)


class Keep:
    """Takes what a test opens and closes it when the test ends, however it ends."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(self, opened: _T) -> _T:
        self._stack.callback(opened.close)
        return opened


@pytest.fixture
def keep() -> Iterator[Keep]:
    """`store = keep(Store(...))`: closed at the test's end."""
    with ExitStack() as stack:
        yield Keep(stack)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of reference recordings."""
    folder = os.environ.get("SAGITTAL_DATA")
    if not folder or not (Path(folder) / "recordings.py").is_file():
        absent("data", "SAGITTAL_DATA names no folder of reference recordings")
    return Path(str(folder))


@pytest.fixture(scope="session")
def influxd() -> str:
    """The path of a real InfluxDB 2 server."""
    path = os.environ.get("INFLUXD")
    if not path or not os.access(path, os.X_OK):
        absent("influx", "INFLUXD names no InfluxDB server")
    return str(path)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        absent("chromium", "no chromium is on the PATH")
    return str(path)


@pytest.fixture(scope="session")
def mosquitto_binary() -> str:
    """The path of a mosquitto broker."""
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        absent("mosquitto", "no mosquitto is on the PATH")
    return str(path)


@pytest.fixture
def mosquitto(mosquitto_binary: str, tmp_path: Path) -> Iterator[str]:
    """The URL of a running mosquitto on loopback with its defaults."""
    port = free_port()
    config = tmp_path / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen(
        [mosquitto_binary, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wait_for_port(port, process)
    yield f"mqtt://127.0.0.1:{port}"
    stop(process)
