"""Simulated wearers on their way: into a file, to the broker with their truth, or onto the air."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import secrets
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, BinaryIO, Self

from sagittal import mqtt
from sagittal.blocks import BOOT_ID_BYTES, Block
from sagittal.cli._drain import serve
from sagittal.cli._sources import simulated_feed, simulated_samples
from sagittal.codec import append_block
from sagittal.errors import RecordingError, SettingsError
from sagittal.names import Site
from sagittal.settings import Settings
from sagittal.supervisor import Stopping
from sagittal.topics import wearer_topic
from sagittal.truth import Truth
from sagittal.units import NS_PER_S

if TYPE_CHECKING:
    from sensor_bridge.source import Source
    from simulators.fleet import Member

DRAIN_S = 60.0
_DEVICE = "simulated"
_FEW = 50
_BLOCK = 50
_TRUTH_S = 10.0
_MEMORY = Path("/dev/shm")  # noqa: S108  # what nobody wore need not survive a power cut; the folder's name is random


class Recorder:
    """Writes wearers to a `.cborseq` file and their truth beside it; neither is there before both are whole."""

    def __init__(self, out: Path, truth: Path | None) -> None:
        self._targets = [out, *([truth] if truth else [])]
        self._parts = [path.with_name(f".{path.name}.part") for path in self._targets]
        self._streams: list[IO[bytes]] = []
        self.blocks = self.samples = 0
        self.covered_s = 0.0

    def __enter__(self) -> Self:
        for path, part in zip(self._targets, self._parts, strict=True):
            try:
                self._streams.append(part.open("wb"))
            except OSError as error:
                self.__exit__(type(error), error, None)
                raise RecordingError(f"{path} can't be written ({error.strerror}): choose another place") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        for stream in self._streams:
            stream.close()
        for path, part in zip(self._targets, self._parts, strict=True):
            if kind is None:
                part.replace(path)
            else:
                part.unlink(missing_ok=True)

    def write(self, one: Member, start_ns: int, from_s: float, to_s: float, stopping: threading.Event) -> None:
        """Add a stretch of one wearer, times in its scenario."""
        for site in one.sensors:
            for block in blocks(one, site, start_ns, from_s, to_s):
                append_block(self._binary(0), block)
                self.blocks, self.samples = self.blocks + 1, self.samples + block.n
                if stopping.is_set():
                    raise RecordingError(f"stopped: {self._targets[0]} was not written")
            self.covered_s += to_s - from_s
        if len(self._streams) > 1:
            for message in truths(one, start_ns, from_s, to_s):
                self._streams[1].write(message.to_json() + b"\n")

    def _binary(self, place: int) -> BinaryIO:
        return self._streams[place]  # type: ignore[return-value]  # opened in binary mode


def blocks(one: Member, site: Site, start_ns: int, from_s: float, to_s: float) -> Iterator[Block]:
    from sensor_bridge._builder import BlockBuilder

    name = f"{one.name}/{site}/{one.wearer.seed}/{start_ns}/{from_s}"
    boot = hashlib.sha256(name.encode()).digest()[:BOOT_ID_BYTES]
    builder = BlockBuilder(one.name, site, _DEVICE, boot, None)
    end_ns = start_ns + round(to_s * NS_PER_S)
    for samples in simulated_samples(one, site, start_ns, start_ns + round(from_s * NS_PER_S), _BLOCK, end_ns):
        yield from builder.add(samples)
    yield from builder.flush()


def truths(one: Member, start_ns: int, from_s: float, to_s: float) -> list[Truth]:
    """What is true of a wearer between two times, ten seconds a message."""
    from simulators.stream import truth

    starts = [from_s + _TRUTH_S * n for n in range(math.ceil((to_s - from_s) / _TRUTH_S))]
    sites = list(one.sensors)
    return [truth(one.name, one.wearer, sites, start_ns, at, min(_TRUTH_S, to_s - at)) for at in starts]


class TruthTeller:
    """Publishes and writes what is true once its time has passed."""

    def __init__(
        self,
        settings: Settings,
        members: Sequence[Member],
        start_ns: dict[str, int],
        speed: float,
        file: Path | None,
        seconds: float | None,
    ) -> None:
        self._seconds = math.inf if seconds is None else seconds
        self._members, self._start_ns, self._speed = members, start_ns, speed
        self._begun = time.monotonic()
        self._told = {one.name: one.begin_s for one in members}
        self._client = mqtt.make_client("", settings)
        mqtt.start(self._client, settings)
        try:
            self._file = None if file is None else file.open("wb")
        except OSError as error:
            raise RecordingError(f"{file} can't be written ({error.strerror}): choose another place") from None

    def tick(self) -> None:
        """Tell what has become true since the last time."""
        passed = min(self._seconds, (time.monotonic() - self._begun) * self._speed)
        for one in self._members:
            while self._told[one.name] + _TRUTH_S <= one.begin_s + passed:
                at = self._told[one.name]
                self._told[one.name] += _TRUTH_S
                for message in truths(one, self._start_ns[one.name], at, at + _TRUTH_S):
                    self._client.publish(wearer_topic(one.name, "truth"), message.to_json(), qos=1)
                    if self._file is not None:
                        self._file.write(message.to_json() + b"\n")

    def close(self) -> None:
        """Tell the last of it."""
        self.tick()
        self._client.disconnect()
        self._client.loop_stop()
        if self._file is not None:
            self._file.close()


def run_live(
    settings: Settings,
    members: Sequence[Member],
    speed: float,
    seconds: float | None,
    truth: Path | None,
    *,
    tell: bool,
) -> int:
    """Send wearers through a spool of their own to the broker until told to stop; the samples sent.

    Raises
    ------
    BrokerError
        Where no broker answers.
    """
    mqtt.check(settings)
    now_ns = time.time_ns()
    start_ns = {one.name: now_ns - round(one.begin_s * NS_PER_S) for one in members}
    feeds: list[Source] = [
        simulated_feed(
            one,
            site,
            _DEVICE,
            start_ns[one.name],
            now_ns,
            speed=speed,
            until_ns=None if seconds is None else now_ns + round(seconds * NS_PER_S),
            size=round((0.1 if len(members) <= _FEW else 1.0) * sensor.rate_hz * max(1.0, speed / 10)),
        )
        for one in members
        for site, sensor in one.sensors.items()
    ]
    with contextlib.ExitStack() as stack:
        stopping = stack.enter_context(Stopping())
        folder = Path(tempfile.mkdtemp(prefix="sagittal-simulate-", dir=_MEMORY if _MEMORY.is_dir() else None))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        own = settings.model_copy(update={"data_dir": folder, "bridge_name": f"simulate-{secrets.token_hex(3)}"})
        teller = TruthTeller(settings, members, start_ns, speed, truth, seconds) if tell or truth else None
        if teller is not None:
            stack.callback(teller.close)
        return serve(own, feeds, teller.tick if teller else _nothing, DRAIN_S, stopping).samples


def _nothing() -> None:
    pass


def on_air(members: Sequence[Member], driver: str, transport: str, seconds: float | None, speed: float) -> int:
    """Be a wearable on Bluetooth, worn by one simulated wearer; the number of samples measured.

    Raises
    ------
    SettingsError
        Where it would be more than one wearable, or not in real time.
    """
    if len(members) != 1 or len(members[0].sensors) != 1:
        raise SettingsError("--as makes one wearable of one wearer at one site: start it once for each")
    if speed != 1.0:
        raise SettingsError("--as runs in real time: leave --speed out")
    from sensor_bridge.virtual import Sample
    from sensor_bridge.virtual import serve as put_on_air

    one = members[0]
    (sensor,) = one.sensors.values()
    end_s = math.inf if seconds is None else one.begin_s + seconds
    motion = (Sample(round(t * NS_PER_S), acc, gyr) for t, acc, gyr in sensor.samples(one.begin_s, end_s))

    async def run() -> int:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            loop.call_soon_threadsafe(stop.set)

        with Stopping(end):
            return await put_on_air(driver, motion, transport, stop=stop, told=_say)

    return asyncio.run(run())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
