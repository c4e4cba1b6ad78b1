"""Simulated wearers on their way into a file, or onto the air."""

from __future__ import annotations

import asyncio
import hashlib
import math
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, BinaryIO, Self

from sagittal.blocks import BOOT_ID_BYTES, Block
from sagittal.cli._fleet import DEVICE
from sagittal.cli._sources import simulated_samples
from sagittal.cli._truths import truths
from sagittal.codec import append_block
from sagittal.errors import RecordingError, SettingsError
from sagittal.names import Site
from sagittal.supervisor import Stopping
from sagittal.units import NS_PER_S

if TYPE_CHECKING:
    from simulators.fleet import Member

_BLOCK = 50


class Recorder:
    """Writes wearers to a `.cborseq` file and their truth beside it; neither is there before both are whole."""

    def __init__(self, out: Path, truth: Path | None) -> None:
        self._targets = [out, *([truth] if truth else [])]
        self._parts = [path.with_name(f".{path.name}.part") for path in self._targets]
        self._streams: list[IO[bytes]] = []
        self.blocks = self.samples = 0
        self.covered_s = 0.0

    def __enter__(self) -> Self:
        if len(set(self._targets)) < len(self._targets):
            raise RecordingError(f"{self._targets[0]} can't hold both the recording and the truth: name two files")
        for path, part in zip(self._targets, self._parts, strict=True):
            try:
                if path.is_dir():
                    raise IsADirectoryError(0, "it is a folder")
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
    builder = BlockBuilder(one.name, site, DEVICE, boot, None)
    end_ns = start_ns + round(to_s * NS_PER_S)
    for samples in simulated_samples(one, site, start_ns, start_ns + round(from_s * NS_PER_S), _BLOCK, end_ns):
        yield from builder.add(samples)
    yield from builder.flush()


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
