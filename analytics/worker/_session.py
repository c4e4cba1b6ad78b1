"""What a worker does with what arrives, without the network: order, step, collect, commit."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from analytics.store import Commit, Erased, Mark, Store
from analytics.worker._engine import Engine, Pipeline
from analytics.worker._order import StreamOrder
from analytics.worker._recordings import Recordings
from sagittal.blocks import Block, Cursor
from sagittal.codec import decode_block
from sagittal.errors import BlockError, StoreError
from sagittal.messages import Command, DeviceHealth, DeviceState, SilenceReason, Watermark
from sagittal.names import Site
from sagittal.protocols import Row
from sagittal.results import Angles, Result
from sagittal.settings import Settings

_log = logging.getLogger(__name__)

WANT_S = 2.0
TELL_AGAIN_S = 1.0
MAX_WANT_S = 60.0
MAX_BLOCKS = 1000
"""Blocks in one commit at most, however fast they come."""

Place = tuple[str, Site]


@dataclass(slots=True)
class _Stream:
    order: StreamOrder
    run: Cursor | None = None
    samples: int = 0
    blocks: int = 0
    hole_since: float | None = None
    want_s: float = WANT_S
    repeated: bool = False
    told_again: float = -math.inf


@dataclass(slots=True)
class Counts:
    """What arrived since this worker started."""

    blocks: int = 0
    samples: int = 0
    malformed: int = 0
    last_malformed: str = ""
    commands: int = 0
    commits: int = 0


@dataclass(frozen=True, slots=True)
class Committed:
    """What may be told now that it is on disk."""

    marks: list[tuple[Place, Watermark]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    live: list[tuple[str, Angles]] = field(default_factory=list)


class Session:
    """One worker's life between start and end; not thread-safe.

    Parameters
    ----------
    worker
        This start's id; it stands in every watermark.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        pipeline: Pipeline,
        worker: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._worker = worker
        self._clock = clock
        self._engine = Engine(settings, pipeline)
        self._recordings = Recordings(settings.recordings_dir, settings.worker.recordings_days)
        self._posture_days = settings.worker.posture_days
        self._streams: dict[Place, _Stream] = {
            (one.wearer, one.site): _Stream(StreamOrder(one.cursor, one.end_ns, one.boots), one.cursor)
            for one in store.streams()
        }
        self._devices = store.device_states()
        self._commands: set[str] = set()
        self._pending = Commit()
        self._taken: dict[str, list[Block]] = {}
        self._live: list[tuple[str, Angles]] = []
        self._dirty_since: float | None = None
        self._blocks = 0
        self.counts = Counts()

    @property
    def failures(self) -> int:
        """How often the pipeline failed."""
        return self._engine.failures

    @property
    def repeats(self) -> int:
        """Blocks that came again and were dropped."""
        return sum(stream.order.repeats for stream in self._streams.values())

    @property
    def waiting(self) -> int:
        """Blocks that wait for earlier ones."""
        return sum(stream.order.waiting for stream in self._streams.values())

    @property
    def devices(self) -> dict[tuple[str, str], bytes]:
        """The last known health of every wearable, as JSON."""
        return dict(self._devices)

    @property
    def ends_ns(self) -> dict[Place, int]:
        """The time behind the newest block taken of every stream."""
        return {place: stream.order.end_ns for place, stream in self._streams.items()}

    def due(self, commit_s: float) -> bool:
        """Whether it is time to commit."""
        if self._dirty_since is None:
            return False
        return self._blocks >= MAX_BLOCKS or self._clock() - self._dirty_since >= commit_s

    def take_block(self, wearer: str, site: str, payload: bytes) -> Place | None:
        """Take one message from an imu topic; the stream, if it is one of which nothing is stored yet."""
        try:
            block = decode_block(payload)
            if (block.wearer, block.site) != (wearer, site):
                raise BlockError(f"a block of {block.wearer}/{block.site} came as one of {wearer}/{site}")
        except BlockError as error:
            self._malformed(f"{wearer}/{site}: {error}")
            return None
        self.counts.blocks += 1
        place = (block.wearer, block.site)
        new = place not in self._streams
        stream = self._streams.setdefault(place, _Stream(StreamOrder()))
        repeats = stream.order.repeats
        taken = stream.order.offer(block)
        stream.repeated |= stream.order.repeats > repeats
        for one in taken:
            self._keep(stream, one)
        if taken or not stream.order.waiting:
            stream.hole_since, stream.want_s = None, WANT_S
        elif stream.hole_since is None:
            stream.hole_since = self._clock()
        return place if new and not taken else None

    def take_command(self, wearer: str, verb: str, payload: bytes) -> None:
        """Take one message from a command topic; each id is carried out once."""
        try:
            command = Command.model_validate_json(payload)
        except ValidationError as error:
            self._malformed(f"command {verb} for {wearer}: {error.errors()[0]['msg']}")
            return
        if (command.wearer, command.verb) != (wearer, verb):
            self._malformed(f"command {command.verb} for {command.wearer} came as {verb} for {wearer}")
            return
        if command.id in self._commands or self._store.command_seen(command.id):
            return
        self.counts.commands += 1
        self._commands.add(command.id)
        self._pending.commands.append((command.id, wearer, command.t_ns))
        self._analyse(wearer)
        self._collect(wearer, self._engine.command(command, self._stored(wearer)))
        self._touch()

    def take_health(self, wearer: str, site: str, payload: bytes) -> Place | None:
        """Take one message from a device topic; the stream, if nothing of it is stored yet."""
        if not payload:
            return None
        try:
            health = DeviceHealth.model_validate_json(payload)
        except ValidationError as error:
            self._malformed(f"device health of {wearer}/{site}: {error.errors()[0]['msg']}")
            return None
        if health.site != site:
            self._malformed(f"device health of {health.site} came as one of {site}")
            return None
        data = health.to_json()
        if self._devices.get((wearer, site)) != data:
            self._devices[wearer, site] = data
            self._pending.devices[wearer, site] = (data, time.time_ns())
            self._touch()
        place = (wearer, health.site)
        return None if place in self._streams else place

    def bridge_gone(self, bridge: str, *, only: bool) -> list[tuple[str, DeviceHealth]]:
        """Mark a dead bridge's wearables as offline; `only`: it is the only bridge known, so they are all its own."""
        gone: list[tuple[str, DeviceHealth]] = []
        for (wearer, site), data in list(self._devices.items()):
            health = DeviceHealth.model_validate_json(data)
            mine = health.bridge == bridge or (health.bridge is None and only)
            if mine and health.state is not DeviceState.OFFLINE:
                silent = health.model_copy(
                    update={
                        "state": DeviceState.OFFLINE,
                        "reason": SilenceReason.BRIDGE_GONE,
                        "t_ns": time.time_ns(),
                        "detail": f"the bridge {bridge} is gone",
                    }
                )
                self.take_health(wearer, site, silent.to_json())
                gone.append((wearer, silent))
        return gone

    def commit(self, positions: dict[str, int]) -> Committed:
        """Put everything since the last commit on disk, and say what may be told.

        Raises
        ------
        StoreError
            Where the store can't be written; nothing was told, the bridge still has it all.
        """
        while True:
            try:
                return self._commit(positions)
            except Erased as erased:
                for wearer in erased.wearers:
                    self._drop(wearer)

    def marks(self, *, want: bool = True) -> list[tuple[Place, Watermark]]:
        """The watermark of every stream as it is on disk; `want`: asking for what comes after it."""
        stored = {(one.wearer, one.site): one.cursor for one in self._store.streams()}
        places = sorted(stored.keys() | self._streams.keys())
        return [(place, self._mark(place, stored.get(place), want=want)) for place in places]

    def _mark(self, place: Place, cursor: Cursor | None, *, want: bool = False) -> Watermark:
        stream = self._streams.get(place)
        return Watermark.at(cursor, stream.run if stream and cursor else None, self._worker, want=want)

    def nothing_stored(self, place: Place) -> Watermark:
        """The watermark of a stream of which nothing is stored: send everything."""
        self._streams.setdefault(place, _Stream(StreamOrder()))
        return Watermark.at(None, None, self._worker, want=True)

    def wanted(self) -> set[Place]:
        """Streams in which a hole has lasted, each named again after twice as long; and those whose head was stale."""
        now = self._clock()
        found: set[Place] = set()
        for place, stream in self._streams.items():
            if stream.order.stale and not stream.blocks and now - stream.told_again >= TELL_AGAIN_S:
                stream.told_again = now
                found.add(place)
            if stream.hole_since is not None and now - stream.hole_since >= stream.want_s:
                stream.hole_since, stream.want_s = now, min(2 * stream.want_s, MAX_WANT_S)
                found.add(place)
        return found

    def repeated(self) -> set[Place]:
        """Streams whose blocks came again, so that their last mark may have been lost; each at most once a second."""
        now = self._clock()
        found: set[Place] = set()
        for place, stream in self._streams.items():
            if stream.repeated and now - stream.told_again >= TELL_AGAIN_S:
                stream.repeated, stream.told_again = False, now
                found.add(place)
        return found

    def forget(self, readers: list[str]) -> None:
        """Delete what has had its time."""
        missed = self._store.forget(time.time_ns(), self._posture_days, readers)
        if missed:
            _log.warning("a reader of the outbox has missed %d results: run `sagittal sink backfill`", missed)
        self._recordings.forget()

    def _commit(self, positions: dict[str, int]) -> Committed:
        for wearer in list(self._taken):
            self._analyse(wearer)
        pending = self._pending
        pending.states |= self._engine.dumped()
        pending.positions = positions
        pending.marks = [
            Mark(wearer, site, stream.order.cursor, stream.order.end_ns, stream.samples, stream.blocks)
            for (wearer, site), stream in self._streams.items()
            if stream.blocks and stream.order.cursor is not None
        ]
        try:
            paths = self._recordings.paths()
            pending.recordings |= self._recordings.write({path: self._store.recording_bytes(path) for path in paths})
        except OSError as error:
            raise StoreError(f"a recording can't be written ({error}): free space or mend the rights") from None
        rows = self._store.commit(pending)
        marks = []
        for mark in pending.marks:
            place = (mark.wearer, mark.site)
            stream = self._streams[place]
            stream.samples = stream.blocks = 0
            stream.run = stream.order.run
            marks.append((place, self._mark(place, mark.cursor)))
        live, self._live = self._live, []
        self._pending, self._dirty_since, self._blocks = Commit(), None, 0
        self._commands.clear()
        self.counts.commits += 1
        return Committed(marks, rows, live)

    def _keep(self, stream: _Stream, block: Block) -> None:
        self._taken.setdefault(block.wearer, []).append(block)
        self._recordings.add(block)
        stream.samples += block.n
        stream.blocks += 1
        self._blocks += 1
        self.counts.samples += block.n
        self._touch()

    def _analyse(self, wearer: str) -> None:
        """What was taken of a wearer since the last commit; together, since that is cheaper."""
        blocks = self._taken.pop(wearer, None)
        if blocks:
            self._collect(wearer, self._engine.steps(blocks, self._stored(wearer)))

    def _stored(self, wearer: str) -> Sequence[bytes] | None:
        return None if self._engine.knows(wearer) else self._store.state(wearer)

    def _collect(self, wearer: str, results: list[Result]) -> None:
        for result in results:
            if isinstance(result, Angles):
                self._live.append((wearer, result))
            else:
                self._pending.results.append((wearer, result))

    def _touch(self) -> None:
        if self._dirty_since is None:
            self._dirty_since = self._clock()

    def _drop(self, wearer: str) -> None:
        self._engine.drop(wearer)
        self._taken.pop(wearer, None)
        self._recordings.drop(wearer)
        for place in [place for place in self._streams if place[0] == wearer]:
            del self._streams[place]
        for device in [device for device in self._devices if device[0] == wearer]:
            del self._devices[device]
        old = self._pending
        self._pending = Commit(
            results=[row for row in old.results if row[0] != wearer],
            states={name: state for name, state in old.states.items() if name != wearer},
            devices={place: device for place, device in old.devices.items() if place[0] != wearer},
            commands=[command for command in old.commands if command[1] != wearer],
            recordings={place: size for place, size in old.recordings.items() if place[0] != wearer},
        )
        self._live = [row for row in self._live if row[0] != wearer]

    def _malformed(self, what: str) -> None:
        self.counts.malformed += 1
        self.counts.last_malformed = what[:300]
        if self.counts.malformed <= 10 or self.counts.malformed % 1000 == 0:
            _log.warning("message %d refused: %s", self.counts.malformed, what[:300])
