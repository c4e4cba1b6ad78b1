"""Whether a fleet of simulated wearers lives in real time on two cores, from bodies to a broker.

`python -m benchmarks.fleet [--wearers 2000] [--seconds 60]` starts a broker of its own and `sagittal simulate`, and
counts the processor time of the fleet's processes from the moment all wearers live to the end, for each second of the
wearers' time: other programs disturb that little. Where the machine is free the lag shows that it keeps up: how much
later than its newest sample a block arrives at a subscriber, over some of the wearers.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import paho.mqtt.client as paho
import psutil

from sagittal import broker
from sagittal.codec import decode_block
from sagittal.mqtt import connect, make_client
from sagittal.settings import Settings
from sagittal.topics import site_topic
from sagittal.units import NS_PER_S

CORES = 2
RATE_HZ = 100
WATCHED = 40


def main() -> int:
    """Run, print, and say by the exit status whether two cores are enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wearers", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--scenario", default="office")
    parser.add_argument("--tell", action="store_true", help="publish the truth as well")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = broker.free_port()
        settings = Settings.model_validate(
            {"data_dir": Path(folder), "broker": {"url": f"mqtt://{broker.HOST}:{port}", "port": port}}
        )
        server = subprocess.Popen(broker.command(settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not broker.answers(broker.HOST, port):
                time.sleep(0.1)
            return 0 if _fleet(settings, asked) else 1
        finally:
            server.terminate()
            server.wait()


def _fleet(settings: Settings, asked: argparse.Namespace) -> bool:
    lags: dict[tuple[str, int], float] = {}
    client = _watch(settings, asked.wearers, lags)
    arguments = [f"--wearers={asked.wearers}", f"--scenario={asked.scenario}", f"--seconds={asked.seconds}"]
    command = [sys.executable, "-m", "sagittal.cli", "simulate", *arguments, "--broker", settings.broker_url]
    command += [] if asked.tell else ["--no-tell"]
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        usage = _Usage(psutil.Process(process.pid))
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stderr:
            print(f"  {line.rstrip()}", flush=True)
            if "wearers live" in line:
                usage.begin()
                print(f"  {asked.wearers / max(1e-9, time.monotonic() - begun):.0f} wearers made ready a second")
        usage.end()
        said = process.stdout.read()
    client.disconnect()
    client.loop_stop()
    lived_s = int(said.split()[0]) / RATE_HZ / asked.wearers if not process.returncode else 0.0
    if usage.begun is None or lived_s == 0:
        return False
    cores = usage.seconds / lived_s
    print(
        f"{asked.wearers} wearers, {asked.scenario}: {cores:.2f} s of processor time for a second lived, "
        f"{cores / CORES:.2f} of the limit ({CORES} cores); {usage.memory_mb:.0f} MB"
    )
    _print_lags(sorted(lags.values()))
    return bool(cores <= CORES)


def _watch(settings: Settings, wearers: int, lags: dict[tuple[str, int], float]) -> paho.Client:
    client = make_client("", settings)

    def take(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        block = decode_block(bytes(message.payload))
        lags.setdefault((block.wearer, block.seq), (time.time_ns() - block.end_ns) / NS_PER_S)

    client.on_message = take
    connect(client, settings)
    client.loop_start()
    for number in range(0, wearers, max(1, wearers // WATCHED)):
        client.subscribe(site_topic(f"sim-{number + 1:04d}", "lower_back", "imu"), qos=0)
    return client


def _print_lags(found: list[float]) -> None:
    if found:
        middle, high = found[len(found) // 2], found[int(0.99 * (len(found) - 1))]
        print(f"blocks of {WATCHED} wearers arrive {middle:.2f} s (median), {high:.2f} s (99 %) after their end")


class _Usage:
    """Processor time and memory of a program and what it started."""

    def __init__(self, process: psutil.Process) -> None:
        self._process, self._spent = process, {process.pid: 0.0}
        self.begun: float | None = None
        self.memory_mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return sum(self._spent.values()) - (self.begun or 0.0)

    def begin(self) -> None:
        """Count from now on."""
        self._look()
        self.begun = sum(self._spent.values())

    def end(self) -> None:
        """Count no further."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self._look()

    def _look(self) -> None:
        memory = 0.0
        try:
            family = [self._process, *self._process.children(recursive=True)]
        except psutil.Error:
            return
        for one in family:
            try:
                times = one.cpu_times()
                memory += one.memory_info().rss / 1e6
            except psutil.Error:
                continue
            self._spent[one.pid] = times.user + times.system
        self.memory_mb = max(self.memory_mb, memory)


if __name__ == "__main__":
    sys.exit(main())
