"""A running path from source to store, whose processes can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from analytics.store import Store, open_reader
from analytics.worker import Pipeline
from analytics.worker._session import Session
from sagittal import broker
from sagittal.blocks import Block
from sagittal.codec import encode_block, read_blocks
from sagittal.errors import StoreError
from sagittal.protocols import Reader
from sagittal.results import Result
from sagittal.settings import Settings, Wearer
from sensor_bridge._spool import Ledger, Spool
from tests.worker.fakes import SumPipeline

ROOT = Path(__file__).parents[2]
KINDS = ("posture", "walk", "event", "gap", "minute", "day")


def contents(reader: Reader) -> dict[str, list[Result]]:
    return {
        f"{wearer}/{kind}": list(reader.results(wearer, kind, 0, 2**62))
        for wearer in reader.wearers()
        for kind in KINDS
    }


def unfaulted(
    blocks: Sequence[Block], folder: Path, pipeline: Pipeline | None = None, wearers: Sequence[Wearer] = ()
) -> dict[str, list[Result]]:
    """What the same blocks lead to where nothing ever goes wrong."""
    settings = Settings(data_dir=folder, wearers=list(wearers))
    store = Store(settings.store_path, "calm")
    session = Session(store, settings, pipeline or SumPipeline(), "calm")
    for block in blocks:
        session.take_block(block.wearer, str(block.site), encode_block(block))
    session.commit({})
    store.close()
    reader = open_reader(settings.store_path)
    found = contents(reader)
    reader.close()
    return found


def recorded(settings: Settings) -> list[Block]:
    """Every block in the raw recordings."""
    files = sorted(settings.recordings_dir.rglob("*.cborseq"))
    return [block for file in files for block in read_blocks(file) if isinstance(block, Block)]


class Rig:
    """Broker, worker and bridge as processes."""

    def __init__(self, folder: Path, broker_command: list[str] | None, url: str) -> None:
        self.settings = Settings(data_dir=folder / "data")
        self.environment = {
            **os.environ,
            "SAGITTAL_DATA_DIR": str(self.settings.data_dir),
            "SAGITTAL_BROKER__URL": url,
            "SAGITTAL_WORKER__RECORDINGS_DAYS": "1",
            "SAGITTAL_WORKER__COMMIT_S": "0.3",
            "PYTHONPATH": str(ROOT),
        }
        self.commands: dict[str, list[str]] = {
            name: [sys.executable, "-m", "tests.e2e.parts", name] for name in ("worker", "bridge")
        }
        if broker_command is not None:
            self.commands["broker"] = broker_command
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.log = folder / "log"

    def start(self, *names: str) -> None:
        for name in names:
            with self.log.open("a") as log:
                self.processes[name] = subprocess.Popen(
                    self.commands[name],
                    env=self.environment,
                    cwd=ROOT,
                    stdout=subprocess.PIPE if name == "bridge" else subprocess.DEVNULL,
                    stderr=log,
                    text=True,
                )

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def finish(self) -> tuple[int, int, int]:
        """Stop the bridge once the mark covers all, then the rest; samples sent, dropped, and blocks waiting."""
        process = self.processes.pop("bridge")
        process.terminate()
        said, _ = process.communicate(timeout=120)
        sent, dropped, waiting = said.split()
        self.stop()
        return int(sent), int(dropped), int(waiting)

    def stop(self) -> None:
        for name in ("bridge", "worker", "broker", "far"):
            process = self.processes.pop(name, None)
            if process is not None:
                process.terminate()
                process.communicate(timeout=30)

    def stored(self) -> int:
        try:
            reader = open_reader(self.settings.store_path)
        except StoreError:
            return 0
        try:
            return reader.samples()
        finally:
            reader.close()

    def contents(self) -> dict[str, list[Result]]:
        reader = open_reader(self.settings.store_path)
        try:
            return contents(reader)
        finally:
            reader.close()

    def recorded(self) -> list[Block]:
        return recorded(self.settings)

    def ledger(self) -> Ledger:
        spool = Spool(self.settings.spool_path)
        try:
            ledgers = [spool.ledger(wearer, site) for wearer, site in spool.streams()]
        finally:
            spool.close()
        return ledgers[0]


def wait_until(true: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.1)


def nats(folder: Path) -> tuple[list[str], str]:
    settings = Settings(data_dir=folder / "data")
    port = broker.free_port()
    chosen = settings.model_copy(update={"broker": settings.broker.model_copy(update={"port": port})})
    return broker.command(chosen), f"mqtt://127.0.0.1:{port}"


def mosquitto(folder: Path, binary: str) -> tuple[list[str], str]:
    port = broker.free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    return [binary, "-c", str(config)], f"mqtt://127.0.0.1:{port}"
