"""Simulated wearers live: one process makes and sends its share, several of them together a fleet."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from sagittal import mqtt
from sagittal.cli._drain import serve
from sagittal.cli._sources import simulated_feed
from sagittal.cli._truths import TruthTeller
from sagittal.errors import RecordingError, SagittalError
from sagittal.settings import Settings
from sagittal.supervisor import Stopping
from sagittal.units import NS_PER_S

if TYPE_CHECKING:
    from sensor_bridge.feeds import Feed
    from simulators.fleet import Member, Wish

DEVICE = "simulated"
ALONE = 250
"""So many streams at least are worth a process of their own."""
FEW = 50
"""With more streams samples are handed over half a second at a time, and blocks hold a whole one."""
DRAIN_S, UNHEARD_S = 60.0, 10.0
STOP_S = 8.0
"""What a share of a fleet may take to stop before it is ended."""
TELL_S = 10.0
LATE_S = 5.0
MOST_MB = 500.0
"""What may wait for a worker in memory, of each process."""
_MEMORY = Path("/dev/shm")  # noqa: S108  # what nobody wore need not survive a power cut; the folder's name is random


@dataclass(frozen=True, slots=True)
class Live:
    """How wearers are sent: times real time, for how long in their time, and where their truth goes."""

    speed: float = 1.0
    seconds: float | None = None
    truth: Path | None = None
    tell: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """How a share of a fleet gets on: wearers made ready, samples spooled, and how late the latest of them is."""

    ready: int = 0
    samples: int = 0
    late_s: float = 0.0
    stored: bool = False
    done: bool = False
    error: str = ""


Tell = Callable[[Progress], None]


def run_live(settings: Settings, wish: Wish, wearers: int, live: Live) -> int:
    """Send wearers through spools of their own to the broker until told to stop; the samples sent.

    Raises
    ------
    BrokerError
        Where no broker answers.
    SettingsError
        Where so many wearers can't be.
    """
    from simulators.fleet import check_size

    check_size(wearers)
    mqtt.check(settings)
    if live.truth is not None:
        try:
            live.truth.write_bytes(b"")
        except OSError as error:
            raise RecordingError(f"{live.truth} can't be written ({error.strerror}): choose another place") from None
    streams = wearers * len(wish.sites)
    count = max(1, min(os.cpu_count() or 1, streams // ALONE))
    with Stopping() as stopping:
        board = _Board(wearers, count)
        if count == 1:
            live_share(settings, wish, range(wearers), live, stopping, lambda one: board.take(0, one))
        else:
            _in_processes(settings, wish, wearers, live, stopping, board)
        board.end(stopped=stopping.is_set())
    return board.samples


def live_share(
    settings: Settings, wish: Wish, numbers: range, live: Live, stopping: threading.Event, tell: Tell
) -> None:
    """Make some wearers of a wish ready, then send them until they end or `stopping` is set; `tell` hears of it."""
    from simulators.fleet import member

    members: list[Member] = []
    told = 0.0
    for number in numbers:
        if stopping.is_set():
            return
        members.append(member(wish, number))
        members[-1].prepare()
        if time.monotonic() - told > 0.5:
            told = time.monotonic()
            tell(Progress(ready=len(members)))
    tell(Progress(ready=len(members)))
    gc.collect()
    gc.freeze()  # plans of whole days, looked through at every collection otherwise
    now_ns = time.time_ns()
    start_ns = {one.name: now_ns - round(one.begin_s * NS_PER_S) for one in members}
    few = len(members) * len(wish.sites) <= FEW
    feeds = list(_feeds(members, start_ns, now_ns, live, 0.1 if few else 0.5))
    with contextlib.ExitStack() as stack:
        own = _own(settings, stack)
        teller = None
        if live.tell or live.truth:
            teller = TruthTeller(settings, members, start_ns, live.speed, live.truth, live.seconds)
            stack.callback(teller.close)
        ticking = _Ticking(teller, feeds, len(members), tell)
        totals = serve(
            own,
            feeds,
            ticking.tick,
            DRAIN_S,
            stopping,
            unheard_s=UNHEARD_S,
            block_ns=NS_PER_S // 2 if few else NS_PER_S,
        )
    tell(Progress(len(members), totals.samples, ticking.late_s, totals.waiting_blocks == 0, done=True))


def _feeds(
    members: Sequence[Member], start_ns: dict[str, int], now_ns: int, live: Live, hand_over_s: float
) -> Iterator[Feed]:
    until_ns = None if live.seconds is None else now_ns + round(live.seconds * NS_PER_S)
    for one in members:
        for site, sensor in one.sensors.items():
            size = round(hand_over_s * sensor.rate_hz * max(1.0, live.speed / 10))
            yield simulated_feed(
                one, site, DEVICE, start_ns[one.name], now_ns, speed=live.speed, until_ns=until_ns, size=size
            )


def _own(settings: Settings, stack: contextlib.ExitStack) -> Settings:
    """The settings of a bridge of its own, whose spool is in memory."""
    folder = Path(tempfile.mkdtemp(prefix="sagittal-simulate-", dir=_MEMORY if _MEMORY.is_dir() else None))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    spool = settings.spool.model_copy(update={"max_mb": min(settings.spool.max_mb, MOST_MB)})
    name = f"simulate-{secrets.token_hex(3)}"
    return settings.model_copy(update={"data_dir": folder, "bridge_name": name, "spool": spool})


class _Ticking:
    """A share's heartbeat: truth that has come true, and once a second how late it is."""

    def __init__(self, teller: TruthTeller | None, feeds: Sequence[Feed], ready: int, tell: Tell) -> None:
        self._teller, self._feeds, self._ready, self._tell = teller, feeds, ready, tell
        self._told = time.monotonic()
        self.late_s = 0.0

    def tick(self) -> None:
        if self._teller is not None:
            self._teller.tick()
        if time.monotonic() - self._told >= 1.0:
            self._told = time.monotonic()
            self.late_s = max((feed.late_s for feed in self._feeds), default=0.0)
            self._tell(Progress(self._ready, sum(feed.samples for feed in self._feeds), self.late_s))


class _Board:
    """Sums up what all shares tell, and says it to whoever watches."""

    def __init__(self, wearers: int, shares: int) -> None:
        self._wearers = wearers
        self._shares = [Progress()] * shares
        self._begun = self._said = time.monotonic()
        self._all_ready = wearers <= FEW

    @property
    def shares(self) -> int:
        return len(self._shares)

    @property
    def samples(self) -> int:
        return sum(one.samples for one in self._shares)

    def take(self, share: int, progress: Progress) -> None:
        self._shares[share] = progress
        now = time.monotonic()
        ready = sum(one.ready for one in self._shares)
        if self._wearers <= FEW:
            return
        if not self._all_ready and ready == self._wearers:
            self._all_ready, self._said = True, now
            _say(f"{ready} wearers live after {now - self._begun:.0f} s, in processes: {len(self._shares)}")
        elif now - self._said >= (TELL_S if self._all_ready else 2.0):
            self._said = now
            _say(self._live() if self._all_ready else f"{ready} of {self._wearers} wearers are ready")

    def _live(self) -> str:
        late_s = max(one.late_s for one in self._shares)
        line = f"{self.samples} samples, at most {late_s:.1f} s late"
        return line if late_s < LATE_S else f"{line}: this machine can't keep up; take fewer wearers or a lower --speed"

    def end(self, *, stopped: bool) -> None:
        """Say what went wrong, if anything."""
        errors = [one.error for one in self._shares if one.error]
        if errors:
            raise SagittalError(errors[0])
        if not stopped and self.samples and not all(one.stored for one in self._shares if one.done):
            _say("not all of it was stored: a worker stores what it hears, while it runs (sagittal worker)")


def _in_processes(
    settings: Settings, wish: Wish, wearers: int, live: Live, stopping: threading.Event, board: _Board
) -> None:
    context = multiprocessing.get_context("spawn")
    count = board.shares
    running: dict[object, tuple[int, Connection, BaseProcess]] = {}
    try:
        for share in range(count):
            ours, theirs = context.Pipe(duplex=False)
            arguments = (theirs, settings, wish, range(share, wearers, count), live)
            process = context.Process(target=_share, args=arguments, name=f"share {share}")
            with _deaf_to_ctrl_c():
                process.start()
            theirs.close()
            running[ours] = (share, ours, process)
        told = False
        while running:
            for heard in wait([ours for _, ours, _ in running.values()], 0.2):
                share, from_share, ended = running[heard]
                try:
                    board.take(share, from_share.recv())
                except (EOFError, OSError):
                    del running[heard]
                    ended.join()
                    if ended.exitcode and not stopping.is_set():
                        board.take(share, Progress(error=f"a process of the fleet died ({ended.exitcode})"))
                        stopping.set()
            if stopping.is_set() and not told:
                told = True
                for _, _, alive in running.values():
                    alive.terminate()
    finally:
        _end([one for _, _, one in running.values()])


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Programs started meanwhile don't hear Ctrl-C: who started them tells them to stop."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(processes: Sequence[BaseProcess]) -> None:
    deadline = time.monotonic() + STOP_S
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()


def _share(told: Connection, settings: Settings, wish: Wish, numbers: range, live: Live) -> None:
    """What each process does: its share, until it is told to stop or its parent has died."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    parent = multiprocessing.parent_process()

    def tell(progress: Progress) -> None:
        if parent is not None and not parent.is_alive():
            stopping.set()
            return
        with contextlib.suppress(OSError):
            told.send(progress)

    try:
        live_share(settings, wish, numbers, live, stopping, tell)
    except SagittalError as error:
        tell(Progress(error=str(error)))
    told.close()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
