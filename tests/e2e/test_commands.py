"""The commands as people use them: what they print, what they leave, and how they refuse."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from analytics.store import Commit, Store
from sagittal import broker
from sagittal.blocks import Block
from sagittal.cli.erase import _retained
from sagittal.codec import Torn, read_blocks
from sagittal.settings import Broker, Settings
from sagittal.units import NS_PER_S
from tests.conftest import free_port, stop, wait_for_port
from tests.e2e.rig import ROOT, Rig, nats, wait_until
from tests.store.test_store import results


def sagittal(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "sagittal.cli", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "SAGITTAL_SETTINGS": "", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def refused(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """One clear line on stderr, exit status 2."""
    assert done.returncode == 2, (done.stdout, done.stderr)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert all(word in lines[0] for word in words), lines[0]


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A data folder with a store of two wearers."""
    store = Store(Settings(data_dir=tmp_path).store_path, "a")
    store.commit(Commit(results=results()))
    store.close()
    return tmp_path


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path, *nats(tmp_path))
    yield made
    made.stop()


def test_export_gives_rows_for_people_and_documents_for_programs(filled: Path) -> None:
    done = sagittal("export", "--wearer", "w1", "--data-dir", str(filled))
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["time_utc"], row["posture"], row["flexion_deg"]) for row in rows] == [
        ("1970-01-01T00:00:01.000+00:00", "sitting", "12.5"),
        ("1970-01-01T00:00:02.000+00:00", "sitting", "12.5"),
    ]
    out = filled / "walks.json"
    done = sagittal(
        "export", "--wearer", "w1", "--kind", "walk", "--format", "json", "--out", str(out), "--data-dir", str(filled)
    )
    assert done.returncode == 0, done.stderr
    (walk,) = json.loads(out.read_text())
    assert (walk["start_ns"], walk["n_steps"]) == (NS_PER_S, 4)
    done = sagittal("export", "--wearer", "w1", "--start", "1970-01-01T00:00:02", "--data-dir", str(filled))
    assert len(done.stdout.splitlines()) == 2


def test_export_refuses_in_one_line_and_leaves_nothing(filled: Path, tmp_path: Path) -> None:
    refused(sagittal("export", "--data-dir", str(filled)), "--wearer", "w1, w2")
    refused(sagittal("export", "--wearer", "nobody", "--data-dir", str(filled)), "nobody")
    refused(sagittal("export", "--wearer", "w1", "--start", "yesterday", "--data-dir", str(filled)), "yesterday")
    missing = str(tmp_path / "no" / "file.csv")
    refused(sagittal("export", "--wearer", "w1", "--out", missing, "--data-dir", str(filled)), "--out")
    refused(sagittal("export", "--data-dir", str(tmp_path / "elsewhere")), "sagittal run")


def test_a_recording_grows_block_by_block_and_a_torn_end_is_cut_off(rig: Rig, tmp_path: Path) -> None:
    file = tmp_path / "new.cborseq"
    url = rig.environment["SAGITTAL_BROKER__URL"]
    rig.start("broker", "bridge", "worker")
    wait_until(lambda: rig.stored() > 0)
    done = sagittal("record", str(file), "--seconds", "2", "--broker", url)
    assert "appended" in done.stdout, done.stderr
    once = [block for block in read_blocks(file) if isinstance(block, Block)]
    with file.open("ab") as stream:
        stream.write(file.read_bytes()[:100])
    done = sagittal("record", str(file), "--seconds", "2", "--wearer", "w1", "--broker", url)
    assert "cut off" in done.stderr
    found = list(read_blocks(file))
    assert not any(isinstance(block, Torn) for block in found)
    assert found[: len(once)] == once
    assert len(found) > len(once) > 0
    later = [block for block in found[len(once) :] if isinstance(block, Block)]
    assert all(b.seq == a.seq + 1 for a, b in pairwise(later))


def test_erasing_leaves_nothing_anywhere_beside_a_running_worker(rig: Rig) -> None:
    rig.start("broker", "bridge", "worker")
    wait_until(lambda: rig.stored() > 200)
    bridge = rig.processes.pop("bridge")
    bridge.terminate()
    bridge.communicate(timeout=30)
    url = rig.environment["SAGITTAL_BROKER__URL"]
    folder = rig.settings.data_dir
    settings = Settings(data_dir=folder, broker=Broker(url=url))
    assert _retained(settings, "w1", clear=False)
    done = sagittal("erase", "--wearer", "w1", "--yes", "--broker", url, "--data-dir", str(folder))
    assert done.returncode == 0, done.stdout
    assert "nothing of w1 is left" in done.stdout
    assert _retained(settings, "w1", clear=False) == []
    assert rig.stored() == 0
    assert list(rig.contents()) == []
    assert rig.recorded() == []
    rig.start("bridge")
    wait_until(lambda: rig.stored() > 0)
    sent, _dropped, waiting = rig.finish()
    assert (rig.stored(), waiting) == (sent, 0)


def test_doctor_says_what_is_wrong_and_what_to_do(filled: Path) -> None:
    free = {"SAGITTAL_BROKER__PORT": str(free_port()), "SAGITTAL_PAGE__PORT": str(free_port())}
    done = sagittal("doctor", "--data-dir", str(filled), **free)
    assert "!!" not in done.stdout.replace("!!  Bluetooth", ""), done.stdout
    assert "2 wearers" in done.stdout
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = sagittal("doctor", "--data-dir", str(filled), **{**free, "SAGITTAL_PAGE__PORT": port})
    assert done.returncode == 1
    assert f"!!  page: port {port} belongs to another program" in done.stdout
    (filled / "store.sqlite").write_bytes(b"rubbish " * 1000)
    done = sagittal("doctor", "--data-dir", str(filled), **free)
    assert done.returncode == 1
    assert "move it away" in done.stdout


def test_a_taken_port_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        folder = tmp_path / "data"
        done = sagittal("run", "--demo", "--data-dir", str(folder), SAGITTAL_PAGE__PORT=port)
        refused(done, port, "SAGITTAL_PAGE__PORT")
        done = sagittal("run", "--demo", "--data-dir", str(folder), SAGITTAL_BROKER__PORT=port)
        refused(done, port, "SAGITTAL_BROKER__PORT")
    assert not folder.exists()


def test_a_data_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    port = str(free_port())
    refused(sagittal("run", "--demo", "--data-dir", str(tmp_path / "file"), SAGITTAL_PAGE__PORT=port), "data folder")
    assert (tmp_path / "file").read_text() == ""


def test_parts_that_cannot_run_are_refused_before_others_start(tmp_path: Path) -> None:
    folder, port = tmp_path / "data", {"SAGITTAL_PAGE__PORT": str(free_port())}
    refused(sagittal("run", "--data-dir", str(folder), **port), "no wearable", "--demo")
    absent = f"mqtt://127.0.0.1:{free_port()}"
    refused(sagittal("run", "--demo", "--broker", absent, "--data-dir", str(folder), **port), "no broker answers")
    assert not folder.exists()
    folder.mkdir()
    (folder / "store.sqlite").write_bytes(b"rubbish " * 1000)
    refused(sagittal("worker", "--broker", absent, SAGITTAL_DATA_DIR=str(folder)), "damaged", "move it away")
    refused(sagittal("run", "--demo", "--data-dir", str(folder), **port), "damaged", "move it away")
    assert (folder / "store.sqlite").read_bytes() == b"rubbish " * 1000


def test_a_broker_that_refuses_is_one_line(tmp_path: Path, mosquitto_binary: str) -> None:
    port = broker.free_port()
    config = tmp_path / "locked.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\n")
    process = subprocess.Popen([mosquitto_binary, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        file = tmp_path / "x.cborseq"
        done = sagittal("doctor", "--broker", f"mqtt://127.0.0.1:{port}", "--data-dir", str(tmp_path / "d"))
        assert "refuses" in done.stdout
        done = sagittal("run", "--demo", "--broker", f"mqtt://127.0.0.1:{port}", "--data-dir", str(tmp_path / "d"))
        refused(done, "refuses", "password")
        refused(sagittal("record", str(file), "--seconds", "5", "--broker", f"mqtt://127.0.0.1:{port}"), "refuse")
        assert not file.exists()
    finally:
        stop(process)


def test_a_broker_that_is_absent_is_one_line(tmp_path: Path) -> None:
    url = f"mqtt://127.0.0.1:{free_port()}"
    refused(sagittal("record", str(tmp_path / "x.cborseq"), "--broker", url), "no broker answers")
    refused(sagittal("record", str(tmp_path / "x.cborseq"), "--broker", "http://127.0.0.1"), "mqtt://")
    assert list(tmp_path.iterdir()) == []
