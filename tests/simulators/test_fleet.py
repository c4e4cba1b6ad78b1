"""A live fleet: shared by processes, whole through the path, and gone when it is told to go."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sagittal.broker import answers, free_port
from sagittal.cli import _fleet
from sagittal.cli._fleet import Live, run_live
from sagittal.errors import BrokerError, SettingsError
from sagittal.mqtt import host_port
from sagittal.settings import Settings
from sagittal.truth import read_truth
from simulators.fleet import Wish
from tests.e2e.rig import Rig, nats

MEMORY = Path("/dev/shm")  # where simulated spools lie


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[tuple[Rig, str]]:
    command, url = nats(tmp_path)
    made = Rig(tmp_path, command, url)
    made.start("broker")
    deadline = time.monotonic() + 20
    while not answers(*host_port(_settings(url, tmp_path))):
        assert time.monotonic() < deadline, "no broker"
        time.sleep(0.05)
    yield made, url
    made.stop()


def _settings(url: str, folder: Path) -> Settings:
    return Settings.model_validate({"data_dir": folder, "broker": {"url": url}})


def test_two_processes_share_a_fleet_and_lose_nothing(
    rig: tuple[Rig, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(_fleet, "ALONE", 2)
    monkeypatch.setattr(_fleet, "FEW", 2)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    rig[0].start("worker")
    wish, live = Wish(scenario="demo"), Live(speed=10.0, seconds=40.0, truth=tmp_path / "t.jsonl")
    sent = run_live(_settings(rig[1], tmp_path), wish, 5, live)
    assert rig[0].stored() == sent == pytest.approx(5 * 4000, abs=5 * 100)
    told = list(read_truth(tmp_path / "t.jsonl"))
    assert {one.wearer for one in told} == {f"sim-000{number}" for number in range(1, 6)}
    assert "5 wearers live" in (said := capsys.readouterr().err), said
    assert "in processes: 2" in said
    assert "not all" not in said


@pytest.mark.parametrize(
    ("how", "when"),
    [
        ("SIGTERM", "are ready"),
        ("SIGINT", "are ready"),
        ("SIGTERM", "wearers live"),
        ("SIGKILL", "wearers live"),
    ],
)
def test_it_stops_with_all_its_processes_whenever_it_is_told(
    rig: tuple[Rig, str], tmp_path: Path, how: str, when: str
) -> None:
    script = tmp_path / "many.py"
    script.write_text(
        "import os; from sagittal.cli import _fleet, main\n"
        "if __name__ == '__main__':\n    _fleet.ALONE, os.cpu_count = 20, lambda: 2\n    main()\n"
    )
    wearers = "2000" if when == "are ready" else "52"
    command = [sys.executable, str(script), "simulate", "--wearers", wearers, "--broker", rig[1]]
    before = set(MEMORY.glob("sagittal-simulate-*"))
    with subprocess.Popen(
        command, env=rig[0].environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if when in line:
                break
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2, lines
        process.send_signal(signal.Signals[how])
        process.communicate(timeout=30)
    gone, left = psutil.wait_procs(children, timeout=30)
    for one in left:
        one.kill()
    assert (len(gone), left) == (len(children), [])
    assert process.returncode == (-signal.SIGKILL if how == "SIGKILL" else 0), lines
    assert set(MEMORY.glob("sagittal-simulate-*")) <= before


def test_a_fleet_that_cannot_be_is_refused_before_any_work(tmp_path: Path) -> None:
    nowhere = _settings(f"mqtt://127.0.0.1:{free_port()}", tmp_path)
    with pytest.raises(SettingsError, match="0 wearers"):
        run_live(nowhere, Wish(), 0, Live())
    with pytest.raises(SettingsError, match="20000 wearers"):
        run_live(nowhere, Wish(), 20_000, Live())
    with pytest.raises(BrokerError, match="no broker answers"):
        run_live(nowhere, Wish(), 2000, Live())
