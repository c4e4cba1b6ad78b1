"""`sagittal run` and `replay` whole: real processes, the real pipeline, killed and stopped."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from analytics import pipeline as real
from analytics.store import open_reader
from sagittal.cli.run import _demo_wearer
from sagittal.results import Posture
from sagittal.settings import Settings, Wearer
from tests.conftest import free_port
from tests.e2e.rig import ROOT, contents, recorded, unfaulted, wait_until
from tests.e2e.test_commands import sagittal
from tests.pipeline.test_analysis import write_csv

PARTS = ("broker", "worker", "bridge", "page")


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`sagittal run --demo` on ports of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sagittal.cli", "run", "--demo", "--data-dir", str(folder), *arguments],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SAGITTAL_PAGE__PORT": str(free_port()),
            "SAGITTAL_WORKER__RECORDINGS_DAYS": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def pids(folder: Path) -> dict[str, int]:
    with suppress(OSError, ValueError):
        return dict(json.loads((folder / "run.json").read_text()))
    return {}


def has_posture(folder: Path) -> bool:
    with suppress(Exception):
        reader = open_reader(folder / "store.sqlite")
        try:
            return reader.latest("demo", "posture") is not None
        finally:
            reader.close()
    return False


def test_kills_during_a_demo_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(11)
    folder, summary = tmp_path / "data", tmp_path / "summary.json"
    with running(folder, "--seconds", "24", "--summary", str(summary)) as process:
        wait_until(lambda: has_posture(folder))
        for victim in ("bridge", "worker", "broker", "page", "worker"):
            time.sleep(chance.uniform(0.5, 1.5))
            os.kill(pids(folder)[victim], signal.SIGKILL)
        said, _ = process.communicate(timeout=90)
    assert process.returncode == 0, said
    found = json.loads(summary.read_text())
    assert found["samples_lost"] == 0
    assert found["samples_sent"] == found["samples_received"] == found["samples_stored"] > 1000
    assert found["first_posture_s"] > 0
    settings = Settings(data_dir=folder)
    blocks = recorded(settings)
    assert sum(block.n for block in blocks) == found["samples_sent"]
    assert all(b.follows == a.cursor if b.boot_id != a.boot_id else b.seq == a.seq + 1 for a, b in pairwise(blocks))
    reader = open_reader(settings.store_path)
    stored = contents(reader)
    rows = list(reader.results("demo", "posture", 0, 2**62))
    reader.close()
    wearer = Wearer.model_validate(_demo_wearer())
    assert stored == unfaulted(blocks, tmp_path / "calm", real, [wearer])
    assert len({row.t_ns for row in rows if isinstance(row, Posture)}) == len(rows) > 10


def test_ctrl_c_stops_everything_and_leaves_no_process(tmp_path: Path) -> None:
    with running(tmp_path / "data") as process:
        wait_until(lambda: has_posture(tmp_path / "data"))
        children = psutil.Process(process.pid).children(recursive=True)
        assert set(PARTS) < set(pids(tmp_path / "data"))
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert not [child for child in children if child.is_running()]
    assert pids(tmp_path / "data") == {}


def starting(folder: Path) -> bool:
    """Whether every part was started, most of them not ready yet."""
    return set(PARTS) < set(pids(folder))


@pytest.mark.parametrize("ready", [starting, has_posture])
def test_a_killed_supervisor_leaves_no_process(tmp_path: Path, ready: Callable[[Path], bool]) -> None:
    with running(tmp_path / "data") as process:
        wait_until(lambda: ready(tmp_path / "data"))
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        _, left = psutil.wait_procs(children, timeout=60)
        assert not [child.cmdline() for child in left]


def test_replaying_a_recording_finds_what_analysing_it_finds(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "walk.csv")
    ports = {"SAGITTAL_PAGE__PORT": str(free_port())}
    replayed = sagittal("replay", str(file), "--speed", "20", "--data-dir", str(tmp_path / "kept"), **ports)
    analysed = sagittal("analyze", "--sensor", f"lower_back={file}", "--json", str(tmp_path / "walk.json"))
    assert (replayed.returncode, analysed.returncode) == (0, 0), replayed.stdout + replayed.stderr
    (bout,) = json.loads((tmp_path / "walk.json").read_text())["walking_bouts"]
    cells = [cell.strip() for line in replayed.stdout.splitlines() if "│ replay" in line for cell in line.split("│")]
    start_s = 5.0
    assert cells[2:6] == [
        f"{bout['start_s'] - start_s:.1f}",
        f"{bout['end_s'] - start_s:.1f}",
        str(bout["n_strides"]),
        f"{bout['cadence_spm']:.1f}",
    ]
    assert "4500 samples" in replayed.stdout
    done = sagittal("export", "--kind", "walk", "--data-dir", str(tmp_path / "kept"))
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.parametrize("name", ["", "elbow=", "shank_left="])
def test_a_replay_refuses_in_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.csv").write_text("time,x\n1,2\n")
    done = sagittal("replay", f"{name}{tmp_path / 'a.csv'}")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
