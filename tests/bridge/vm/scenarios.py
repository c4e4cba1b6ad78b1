"""What the supervisor must survive with the real BlueZ; runs inside the machine of scripts/bluez.sh, as root."""

from __future__ import annotations

import asyncio
import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from sagittal.messages import DeviceState, SilenceReason
from sagittal.names import Site
from sagittal.settings import Device
from sensor_bridge.bluetooth import BluetoothSource, Patience, Radio
from sensor_bridge.bluetooth._adapter import cycle_power
from sensor_bridge.source import Samples
from sensor_bridge.virtual import Motion, Peripheral, Sample
from sensor_bridge.wearables import wanted, wearable

DRIVER = "sagittal"
PATIENCE = Patience(search_s=10, connect_s=30, setup_s=15, dead_s=5, backoff_s=0.5, max_backoff_s=2, good_s=10)
SLOW = 60.0


def still() -> Iterator[Sample]:
    """A sensor at rest for ever."""
    return (Sample(number * 100_000_000, (9.8, 0.2, 0.1), (0.0, 0.0, 0.0)) for number in itertools.count())


async def radio() -> None:
    """An adapter for BlueZ with a wearable near; SIGUSR1 drops the link."""
    from bumble.controller import Controller
    from bumble.hci import LeFeatureMask
    from bumble.link import LocalLink
    from bumble.transport import open_transport

    link = LocalLink()
    opened = await open_transport("vhci")
    adapter = Controller("adapter", host_source=opened.source, host_sink=opened.sink, link=link)
    adapter.le_features &= ~(LeFeatureMask.LL_PRIVACY | LeFeatureMask.LE_EXTENDED_ADVERTISING)
    peripheral = Peripheral(wearable(DRIVER), Motion(still()), link=link)
    await peripheral.start()
    tasks = set()

    def drop() -> None:
        tasks.add(asyncio.ensure_future(peripheral.drop_link()))

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, drop)
    await asyncio.get_running_loop().create_future()


@dataclass
class Machine:
    """The programs that may die."""

    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str) -> None:
        command = {
            "dbus": ["dbus-daemon", "--system", "--nofork", "--nopidfile"],
            "bluetoothd": ["/usr/libexec/bluetooth/bluetoothd", "-n"],
            "radio": [sys.executable, "-m", "tests.bridge.vm.scenarios", "radio"],
        }[name]
        self.running[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()


@dataclass
class Outlet:
    """Counts what comes, and prints what is told."""

    n: int = 0
    gaps: int = 0
    reasons: list[SilenceReason | None] = field(default_factory=list)

    def samples(self, samples: Samples) -> None:
        self.n += len(samples.t_ns)
        if samples.gap_before is not None:
            self.gaps += 1
            print(f"    {samples.gap_before}", flush=True)

    def state(self, state: DeviceState, reason: SilenceReason | None = None, **more: object) -> None:
        if reason is not None and reason not in self.reasons:
            self.reasons.append(reason)
            print(f"    {state} {reason}: {more.get('detail', '')}", flush=True)


async def until(true: Callable[[], bool], what: str) -> None:
    """Wait, as long as an emulated machine may need."""
    deadline = time.monotonic() + SLOW
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: it does not come about")
        await asyncio.sleep(0.1)


async def streams(outlet: Outlet) -> None:
    """A hundred more samples come."""
    before = outlet.n
    await until(lambda: outlet.n >= before + 100, "a hundred samples")


async def scenarios() -> None:
    """All of them, on one source that is never started anew."""
    machine = Machine()
    for name in ("dbus", "bluetoothd", "radio"):
        machine.start(name)
        await asyncio.sleep(2)
    await power_on()
    device = Device(name="d", driver=DRIVER, rate_hz=50.0)
    source = BluetoothSource(
        wearer="w",
        site=Site.LOWER_BACK,
        device="d",
        driver=DRIVER,
        wearable=wearable(DRIVER),
        settings=device,
        wanted=wanted(device),
        radio=Radio(power_cycle=False),
        patience=PATIENCE,
    )
    outlet, stop = Outlet(), asyncio.Event()
    running = asyncio.create_task(source.run(outlet, stop))

    async def link() -> None:
        machine.running["radio"].send_signal(signal.SIGUSR1)
        await until(lambda: SilenceReason.LINK_LOST in outlet.reasons, "link loss is told")

    async def bluetoothd() -> None:
        machine.kill("bluetoothd")
        await until(lambda: bool(outlet.reasons), "silence is told")
        machine.start("bluetoothd")
        await asyncio.sleep(2)
        await power_on()

    async def adapter() -> None:
        machine.kill("radio")
        await until(lambda: SilenceReason.NO_ADAPTER in outlet.reasons, "the missing adapter is told")
        machine.start("radio")
        await asyncio.sleep(3)
        await power_on()

    async def bus() -> None:
        machine.kill("dbus")
        await until(lambda: bool(outlet.reasons), "silence is told")
        machine.kill("bluetoothd")
        machine.start("dbus")
        await asyncio.sleep(1)
        machine.start("bluetoothd")
        await asyncio.sleep(2)
        await power_on()

    async def nothing() -> None:
        begun, before = time.monotonic(), outlet.n
        await asyncio.sleep(10)
        rate = (outlet.n - before) / (time.monotonic() - begun)
        print(f"    {rate:.1f} samples a second (asked for 50; an emulated machine may be slow)", flush=True)
        if outlet.gaps:
            raise AssertionError(f"{outlet.gaps} gaps")

    faults: dict[str, Callable[[], Awaitable[None]]] = {
        "stream at 50 Hz for 10 s without a gap": nothing,
        "link dropped": link,
        "bluetoothd killed and started": bluetoothd,
        "adapter pulled out and put in": adapter,
        "D-Bus killed and started": bus,
    }
    await streams(outlet)
    for name, fault in faults.items():
        begun = time.monotonic()
        outlet.reasons.clear()
        await fault()
        await streams(outlet)
        print(f"PASS {name} ({time.monotonic() - begun:.1f} s, {outlet.n} samples so far)", flush=True)
    stop.set()
    await asyncio.wait_for(running, SLOW)
    print(f"ALL SCENARIOS PASSED: {source.connections} connections, {outlet.n} samples, {outlet.gaps} gaps", flush=True)


async def power_on() -> None:
    """Switch the adapter on, as `AutoEnable` does on a usual system."""
    for _ in range(30):
        if await cycle_power("hci0"):
            return
        await asyncio.sleep(0.5)


if __name__ == "__main__":
    asyncio.run(radio() if "radio" in sys.argv else scenarios())
