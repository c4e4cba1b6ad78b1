"""How many samples a second one core takes from notification to disk, as a multiple of one wearable at 100 Hz.

`python -m benchmarks.bridge` feeds each driver the bytes of its own encoder: decoding, clock, check of units, blocks,
and the spool with its syncs, in processor time. The peer of the same run is what many bridges do: one JSON text and one
commit a sample.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from pathlib import Path

from sagittal.names import Site
from sagittal.units import NS_PER_S
from sensor_bridge._builder import BlockBuilder, Samples
from sensor_bridge._clock import SampleClock
from sensor_bridge._spool import Spool
from sensor_bridge._units_check import UnitCheck, Verdict
from sensor_bridge.wearable import Ask, Notification, Packet, Read, Session, Subscribe, Virtual, Wanted, Write
from sensor_bridge.wearables import wearable

LIMIT_HZ = 100
SECONDS = 60


def prepared(driver: str) -> tuple[Session, list[tuple[int, Notification]]]:
    """A session that is set up, and a minute of its wearable's notifications with their arrival times, ns."""
    kind = wearable(driver)
    virtual = kind.virtual()
    session = kind.open(virtual.gatt, Wanted(rate_hz=LIMIT_HZ))
    _set_up(session, virtual)
    sent = []
    for number in range(round(SECONDS * virtual.rate_hz)):
        t_ns = round(number * NS_PER_S / virtual.rate_hz)
        acc = (9.8, 0.1 + (number % 100) * 1e-3, 0.2)
        sent += [(t_ns + 20_000_000, one) for one in virtual.sample(t_ns, acc, (0.01, 0.02, 0.0))]
    return session, sent


def _set_up(session: Session, virtual: Virtual) -> None:
    script, answer = session.start(), None
    while True:
        try:
            action = script.send(answer)
        except StopIteration:
            return
        answer = None
        if isinstance(action, Subscribe):
            virtual.subscribe(action.char, True)
        elif isinstance(action, Read):
            answer = virtual.read(action.char)
            session.feed(action.char, answer)
        elif isinstance(action, Write | Ask):
            for one in virtual.write(action.char, action.data, 0):
                session.feed(one.char, one.data)
                if isinstance(action, Ask) and one.char == action.reply and action.match(one.data):
                    answer = one.data


def _readings(packet: Packet) -> tuple[bytes, float, bytes | None, float | None]:
    return packet.acc, packet.acc_scale, packet.gyr, packet.gyr_scale


class Sink:
    """The way of samples in the bridge, without Bluetooth and broker."""

    def __init__(self, folder: Path) -> None:
        self.spool = Spool(folder / "spool.sqlite")
        self.builder = BlockBuilder("w", Site.LOWER_BACK, "d", b"bootboot", None)
        self.clock = SampleClock(LIMIT_HZ, time.time_ns())
        self.check = UnitCheck()
        self.n = 0

    def take(self, packet: Packet, arrival_ns: int) -> None:
        """From a decoded packet to the disk."""
        for one in self.clock.take(packet, arrival_ns):
            if self.check.verdict is Verdict.OPEN:
                self.check.take(one.t_ns, *_readings(one.packet))
            samples = Samples(
                t_ns=one.t_ns,
                acc=one.packet.acc,
                acc_scale=one.packet.acc_scale,
                gyr=one.packet.gyr,
                gyr_scale=one.packet.gyr_scale,
                clock=one.kind,
                gap_before=one.gap,
            )
            self.n += len(one.t_ns)
            for block in self.builder.add(samples):
                self.spool.append(block)


def ours(driver: str) -> float:
    """Samples a second of CPU and disk, from bytes to the spool."""
    session, sent = prepared(driver)
    with tempfile.TemporaryDirectory() as folder:
        sink = Sink(Path(folder))
        begun = time.process_time()
        for arrival_ns, one in sent:
            for event in session.feed(one.char, one.data):
                if isinstance(event, Packet):
                    sink.take(event, arrival_ns)
        seconds = time.process_time() - begun
        sink.spool.close()
    return sink.n / seconds


def one_by_one() -> float:
    """The peer: each sample a JSON text and a commit of its own."""
    with tempfile.TemporaryDirectory() as folder:
        db = sqlite3.connect(Path(folder) / "peer.sqlite", isolation_level=None)
        db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE sample (data TEXT);")
        begun = time.process_time()
        count = 0
        while time.process_time() - begun < 1:
            text = json.dumps({"t": time.time(), "acc": [9.8, 0.1, 0.2], "gyr": [0.01, 0.02, 0.0]})
            db.execute("INSERT INTO sample VALUES (?)", (text,))
            count += 1
        seconds = time.process_time() - begun
        db.close()
    return count / seconds


def main() -> None:
    peer = one_by_one()
    print(f"{'driver':14}{'samples/s':>12}   wearables at {LIMIT_HZ} Hz on one core   times one by one ({peer:.0f}/s)")
    for driver in ("sagittal", "witmotion", "polar", "movesense", "metamotion"):
        rate = ours(driver)
        print(f"{driver:14}{rate:12.0f}   {rate / LIMIT_HZ:28.0f}   {rate / peer:22.1f}")


if __name__ == "__main__":
    main()
