"""Three wearables at 100 Hz through every kind of fault, and a ledger that must balance to the sample.

`python -m benchmarks.soak --minutes 120 --ledger soak.json` starts a broker, a worker, a bridge, and three virtual
wearables behind a Bluetooth adapter of their own, and every minute breaks something: a link, a wearable that falls
silent or reboots, the broker, the worker (SIGKILL), the bridge (SIGKILL), and outages that outlast the spool. Each
sample carries its own number, so that in the end: samples measured = samples stored + samples missing behind marks.
SIGTERM ends it early, with its ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bumble.controller import Controller
from bumble.link import LocalLink
from bumble.transport import open_transport

from sagittal.blocks import Block, unpack_int16
from sagittal.broker import free_port
from sagittal.names import Site
from sagittal.settings import Device, load_settings
from sensor_bridge.bluetooth import BluetoothSource, Patience, Radio
from sensor_bridge.bridge import Bridge
from sensor_bridge.virtual import Motion, Peripheral
from sensor_bridge.wearable import Vector
from sensor_bridge.wearables import wanted, wearable
from tests.bridge.bumble_backend import central_of
from tests.e2e.rig import Rig, nats

DRIVERS = ("sagittal", "witmotion", "movesense")
RATE_HZ = 100
STEP_MPS2, BASE = 0.01, 400
SPOOL_MB = 0.3
DRAIN_S = 90.0
"""So long what was spooled may take to reach the store when all is over; `Rig.finish` waits two minutes."""
PATIENCE = Patience(search_s=5, connect_s=10, setup_s=8, backoff_s=0.5, max_backoff_s=4, good_s=20)


class Numbers(Motion):
    """A sensor at rest whose readings hold the number of the sample, in steps that every driver can tell apart."""

    def __init__(self) -> None:
        super().__init__(())
        self._measured = 0

    def at(self, t_ns: int) -> tuple[Vector, Vector]:  # noqa: ARG002  # every measurement counts, whenever it is
        """The next number, written with base 400 into two axes and the remainder into a rate."""
        number = self._measured
        self._measured += 1
        low, middle, high = number % BASE, number // BASE % BASE, number // BASE**2
        return (9.0, low * STEP_MPS2, middle * STEP_MPS2), (high * 0.1, 0.0, 0.0)


def numbers(block: Block) -> list[int]:
    """The numbers that a block's samples hold."""
    acc, gyr = unpack_int16(block.acc), unpack_int16(block.gyr or b"")
    out = []
    for i in range(0, 3 * block.n, 3):
        low = round(acc[i + 1] * block.acc_scale / STEP_MPS2)
        middle = round(acc[i + 2] * block.acc_scale / STEP_MPS2)
        high = round(gyr[i] * (block.gyr_scale or 0) / 0.1)
        out.append((high * BASE + middle) * BASE + low)
    return out


# -- the parts --------------------------------------------------------------------------------------------------------


def air() -> None:
    """Three wearables; obeys lines such as `adapter PORT`, `drop 1`, `silent 2 3.5`, `reboot 0`."""

    async def run() -> None:
        link = LocalLink()
        worn = [Peripheral(wearable(one), Numbers(), link=link, name=f"soak {i}") for i, one in enumerate(DRIVERS)]
        for one in worn:
            await one.start()
        sys.stdout.write(json.dumps([one.address for one in worn]) + "\n")
        sys.stdout.flush()
        lines: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        loop.add_reader(sys.stdin, lambda: lines.put_nowait(sys.stdin.readline()))
        adapters: list[Any] = []
        while line := (await lines.get()).split():
            if line[0] == "adapter":
                for one in worn:
                    await one.drop_link()
                for adapter, transport in adapters:
                    link.remove_controller(adapter)
                    await transport.close()
                adapters.clear()
                transport = await open_transport(f"tcp-server:127.0.0.1:{line[1]}")
                adapter = Controller("adapter", host_source=transport.source, host_sink=transport.sink, link=link)
                adapters.append((adapter, transport))
                continue
            one = worn[int(line[1])]
            if line[0] == "drop":
                await one.drop_link()
            elif line[0] == "reboot":
                await one.reboot()
            elif line[0] == "silent":
                one.silent = True
                loop.call_later(float(line[2]), setattr, one, "silent", False)

    asyncio.run(run())


def bridge(port: int, addresses: list[str]) -> None:
    """A bridge on that adapter; says its totals when it is stopped."""

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        transport = await open_transport(f"tcp-client:127.0.0.1:{port}")
        radio = Radio(backends=await central_of(transport.source, transport.sink))
        sources = []
        for number, (driver, address) in enumerate(zip(DRIVERS, addresses, strict=True)):
            device = Device(name=f"soak{number}", driver=driver, address=address, rate_hz=RATE_HZ)
            sources.append(
                BluetoothSource(
                    wearer=f"w{number}",
                    site=Site.LOWER_BACK,
                    device=device.name,
                    driver=driver,
                    wearable=wearable(driver),
                    settings=device,
                    wanted=wanted(device),
                    radio=radio,
                    patience=PATIENCE,
                )
            )
        bridging = Bridge(load_settings(), sources)
        stopping = asyncio.create_task(stop.wait())
        stopping.add_done_callback(lambda _: bridging.stop())
        await bridging.run()
        totals = await Bridge(load_settings(), []).run(drain_s=DRAIN_S)
        sys.stdout.write(f"{totals.samples} {totals.dropped} {totals.waiting_blocks}\n")
        sys.stdout.flush()
        os._exit(0)  # Bumble's transport has no end of its own

    asyncio.run(run())


# -- the run ----------------------------------------------------------------------------------------------------------


class Soak(Rig):
    """The rig of the end-to-end tests, with wearables."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, *nats(folder))
        self.environment["SAGITTAL_SPOOL__MAX_MB"] = str(SPOOL_MB)
        self.environment["SAGITTAL_WORKER__RECORDINGS_DAYS"] = "30"
        with self.log.open("a") as log:
            self.air = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.soak", "--part", "air"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self.environment,
            )
        assert self.air.stdout is not None
        self.addresses: list[str] = json.loads(self.air.stdout.readline())

    def tell(self, line: str) -> None:
        """Give the wearables an order."""
        assert self.air.stdin is not None
        self.air.stdin.write(line + "\n")
        self.air.stdin.flush()

    def start_bridge(self) -> None:
        """Start a bridge on an adapter of its own; the links of the one before are gone."""
        port = free_port()
        self.tell(f"adapter {port}")
        time.sleep(0.5)
        self.commands["bridge"] = [
            sys.executable, "-m", "benchmarks.soak", "--part", "bridge", "--port", str(port), *self.addresses,
        ]  # fmt: skip
        self.start("bridge")

    def close(self) -> None:
        """End everything."""
        self.stop()
        self.air.kill()
        self.air.communicate()


def faults(soak: Soak, rng: random.Random, outage_s: float) -> list[tuple[str, Callable[[], object]]]:
    """What may be broken, in turn."""

    def some() -> int:
        return rng.randrange(len(DRIVERS))

    def restart(name: str, away_s: float) -> None:
        soak.kill(name)
        time.sleep(away_s)
        if name == "bridge":
            soak.start_bridge()
        else:
            soak.start(name)

    return [
        ("link dropped", lambda: soak.tell(f"drop {some()}")),
        ("worker killed", lambda: restart("worker", 1)),
        ("wearable silent for 3 s", lambda: soak.tell(f"silent {some()} 3")),
        ("bridge killed", lambda: restart("bridge", 1)),
        ("wearable silent for 9 s", lambda: soak.tell(f"silent {some()} 9")),
        ("broker killed", lambda: restart("broker", 4)),
        ("wearable rebooted", lambda: soak.tell(f"reboot {some()}")),
        ("broker away beyond the spool", lambda: restart("broker", outage_s)),
        ("worker away beyond the spool", lambda: restart("worker", outage_s)),
    ]


@dataclass
class Ledger:
    """One wearable's account: numbers from the first stored sample to the last."""

    measured: int = 0
    stored: int = 0
    missing_counted: int = 0
    missing_uncounted: int = 0
    marks: dict[str, int] = field(default_factory=dict)
    marks_with_nothing_missing: int = 0
    unmarked: int = 0
    twice: int = 0
    miscounted: list[tuple[str, int, int | None]] = field(default_factory=list)

    @property
    def balances(self) -> bool:
        """Whether every sample is stored once or stands behind a mark that, where it counts, counts right."""
        known = self.stored + self.missing_counted + self.missing_uncounted
        return self.measured == known and not (self.unmarked or self.twice or self.miscounted)


def judge(blocks: list[Block]) -> Ledger:
    """The account of one stream's blocks, in the order in which they were stored."""
    out = Ledger()
    first = last = None
    for block in blocks:
        found = numbers(block)
        gap = block.gap_before
        if gap is not None:
            out.marks[str(gap.reason)] = out.marks.get(str(gap.reason), 0) + 1
        for index, number in enumerate(found):
            first = number if first is None else first
            missing = 0 if last is None else number - last - 1
            if index == 0 and gap is not None and last is not None and not missing and not gap.samples:
                out.marks_with_nothing_missing += 1
            if missing < 0:
                out.twice += 1
            elif missing and (index or gap is None):
                out.unmarked += missing
            elif missing and gap is not None and gap.samples is None:
                out.missing_uncounted += missing
            elif missing and gap is not None and gap.samples == missing:
                out.missing_counted += missing
            elif gap is not None and (missing or (index == 0 and gap.samples)):
                out.miscounted.append((str(gap.reason), missing, gap.samples))
            last = number
        out.stored += len(found)
    out.measured = 0 if first is None or last is None else last - first + 1
    return out


def run(minutes: float, fault_s: float, outage_s: float, folder: Path, seed: int) -> dict[str, Any]:
    """Do it; the ledger."""
    soak, rng = Soak(folder), random.Random(seed)
    done: list[str] = []
    begun = time.monotonic()
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    try:
        soak.start("broker")
        time.sleep(1)
        soak.start("worker")
        soak.start_bridge()
        todo = faults(soak, rng, outage_s)
        due = begun + max(fault_s, 8)
        while time.monotonic() < begun + minutes * 60 and not ending.wait(0.2):
            if time.monotonic() >= due:
                name, do = todo[len(done) % len(todo)]
                done.append(name)
                print(f"{time.monotonic() - begun:7.0f} s  {name}; {soak.stored()} samples stored", flush=True)
                do()
                due = time.monotonic() + fault_s
        time.sleep(min(10.0, fault_s))
        sent, dropped, waiting = soak.finish()
    finally:
        soak.close()
    blocks = soak.recorded()
    ledgers = {
        f"w{i} {driver}": judge([one for one in blocks if one.wearer == f"w{i}"]) for i, driver in enumerate(DRIVERS)
    }
    return {
        "minutes": round((time.monotonic() - begun) / 60, 1),
        "faults": {name: done.count(name) for name in dict.fromkeys(done)},
        "bridge": {"samples_taken": sent, "samples_dropped": dropped, "blocks_waiting": waiting},
        "samples_in_store": soak.stored(),
        "taken_is_stored_and_dropped": sent == sum(one.stored for one in ledgers.values()) + dropped,
        "streams": {name: {**one.__dict__, "balances": one.balances} for name, one in ledgers.items()},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--fault-s", type=float, default=60.0, help="time between two faults")
    parser.add_argument("--outage-s", type=float, default=100.0, help="the outage that outlasts the spool")
    parser.add_argument("--ledger", type=Path)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", choices=("air", "bridge"), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("addresses", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part == "air":
        air()
        return 0
    if options.part == "bridge":
        bridge(options.port, options.addresses)
        return 0
    with tempfile.TemporaryDirectory(prefix="sagittal-soak-") as scratch:
        folder = options.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        ledger = run(options.minutes, options.fault_s, options.outage_s, folder, options.seed)
    text = json.dumps(ledger, indent=2)
    print(text)
    if options.ledger:
        options.ledger.write_text(text + "\n", encoding="utf-8")
    good = ledger["taken_is_stored_and_dropped"] and all(one["balances"] for one in ledger["streams"].values())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
