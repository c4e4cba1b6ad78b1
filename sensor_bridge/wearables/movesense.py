"""Movesense sensors (HR+, HR2, Flash, Active) with the GATT SensorData Protocol, in their default firmware from 2.3.

Protocol after sensein/movesense-py (2026-04) and Movesense's gatt-sensordata-app; held against its captures. A packet's
time is that of its first sample; accelerations are m/s², angular rates °/s, in blocks one after the other.
"""

from __future__ import annotations

import struct

from sensor_bridge import wearable as w
from sensor_bridge.wearables import _common as common

TITLE = "Movesense"
SERVICE = "34802252-7185-4d5d-b431-630e7050e8f0"
COMMAND = w.Char(SERVICE, "34800001-7185-4d5d-b431-630e7050e8f0")
DATA = w.Char(SERVICE, "34800002-7185-4d5d-b431-630e7050e8f0")
CLOCK = w.Clock(tick_ns=1_000_000, bits=32)
ACC_SCALE, GYR_SCALE = 16 * common.G / common.COUNTS, 2000 * common.DPS / common.COUNTS

_SUBSCRIBE, _UNSUBSCRIBE = 1, 2
_ANSWER, _WHOLE, _REST = 1, 2, 3
_REFERENCE = 99
_OK, _NOT_FOUND = 200, 404
_RATES = (13.0, 26.0, 52.0, 104.0, 208.0)
_PACKETS_PER_S = 13
_ROW = 24
_MAX_PAYLOAD = 4 + 64 * _ROW


def blocks(payload: bytes, count: int) -> tuple[int, list[list[tuple[float, ...]]]]:
    """The time of the first sample, ms since boot, and `count` blocks of n × 3 numbers each.

    Raises
    ------
    ValueError
        Where the payload holds no whole number of samples.
    """
    n, rest = divmod(len(payload) - 4, 12 * count)
    if n < 1 or rest:
        raise ValueError("not a whole number of samples")
    (ticks,) = struct.unpack_from("<I", payload)
    flat = struct.unpack_from(f"<{3 * n * count}f", payload, 4)
    rows = [flat[i : i + 3] for i in range(0, len(flat), 3)]
    return ticks, [rows[i * n : (i + 1) * n] for i in range(count)]


class _Session(common.GattSession):
    def __init__(self, gatt: w.Gatt, wanted: w.Wanted) -> None:
        super().__init__(gatt, wanted, common.at_least(_RATES, wanted.rate_hz))
        self._expected = 4 + round(self.rate_hz / _PACKETS_PER_S) * _ROW
        self._open = b""

    def start(self) -> w.Script:
        self.granted(self.rate_hz)
        yield w.Subscribe(DATA)
        path = f"/Meas/IMU6/{self.rate_hz:.0f}".encode()
        head = bytes((_ANSWER, _REFERENCE))
        answer = yield w.Ask(
            COMMAND, bytes((_SUBSCRIBE, _REFERENCE)) + path, DATA, lambda data: data[:2] == head and len(data) >= 4
        )
        status = _NOT_FOUND if answer is None else int.from_bytes(answer[2:4], "little")
        if status != _OK:
            raise w.WearableRefused(
                f"{TITLE} refuses {path.decode()} with status {status}: update its firmware with the Movesense app, "
                "or ask for another rate"
            )
        yield from self.battery()

    def stop(self) -> w.Script:
        yield w.Write(COMMAND, bytes((_UNSUBSCRIBE, _REFERENCE)))

    def take(self, char: w.Char, data: bytes) -> list[w.Event]:
        if char != DATA or len(data) < 3 or data[1] != _REFERENCE:
            return []
        if data[0] == _REST:
            if not self._open:
                return [w.Skipped(len(data), "the rest of a packet that did not come")]
            self._open += data[2:]
            return self._whole() if len(self._open) >= self._expected else []
        if data[0] != _WHOLE:
            return []
        events = self._unfinished() if self._open else []
        self._open = data[2:]
        return events + (self._whole() if len(self._open) >= self._expected else [])

    def _unfinished(self) -> list[w.Event]:
        """A packet that got no rest: whole after all, if the wearable sends fewer samples at a time than expected."""
        if (len(self._open) - 4) % _ROW == 0:
            self._expected = len(self._open)
        return self._whole()

    def _whole(self) -> list[w.Event]:
        payload, self._open = self._open, b""
        try:
            ticks, (acc, gyr) = blocks(payload[:_MAX_PAYLOAD], 2)
        except ValueError as bad:
            return [w.Skipped(len(payload), str(bad))]
        flat_acc = [value for row in acc for value in row]
        flat_gyr = [value * common.DPS for row in gyr for value in row]
        if not common.finite(flat_acc + flat_gyr):
            return [w.Skipped(len(payload), "not a number")]
        return [
            w.Packet(
                acc=common.counts(flat_acc, ACC_SCALE),
                acc_scale=ACC_SCALE,
                gyr=common.counts(flat_gyr, GYR_SCALE),
                gyr_scale=GYR_SCALE,
                clock=CLOCK,
                ticks=ticks,
            )
        ]


class _Virtual(common.Imitation):
    """A packet beyond the usual 200 bytes comes in two parts."""

    part = 200

    def __init__(self) -> None:
        super().__init__()
        self.advertisement = w.Advertisement("Movesense 174630000192", ("0000fdf3-0000-1000-8000-00805f9b34fb",))
        self.gatt: w.Gatt = {COMMAND: frozenset({"write"}), DATA: common.NOTIFY, common.BATTERY: common.READ_NOTIFY}
        self.rate_hz = 52.0
        self._rates = _RATES
        self._reference: int | None = None
        self._first_ns = 0
        self._acc: list[w.Vector] = []
        self._gyr: list[w.Vector] = []

    def write(self, char: w.Char, data: bytes, t_ns: int) -> list[w.Notification]:  # noqa: ARG002  # the same at any time
        if char != COMMAND or len(data) < 2:
            return []
        status = _NOT_FOUND
        path, _, rate = data[2:].decode("ascii", "replace").rpartition("/")
        if data[0] == _SUBSCRIBE and path == "/Meas/IMU6" and rate.isascii() and rate.isdigit():
            if float(rate) in self._rates:
                self._reference, self.rate_hz, status = data[1], float(rate), _OK
                self._acc, self._gyr = [], []
        elif data[0] == _UNSUBSCRIBE and data[1] == self._reference:
            self._reference, status = None, _OK
        return self.sent(w.Notification(DATA, bytes((_ANSWER, data[1])) + struct.pack("<H", status)))

    def sample(self, t_ns: int, acc: w.Vector, gyr: w.Vector) -> list[w.Notification]:
        if self._reference is None:
            return []
        if not self._acc:
            self._first_ns = t_ns
        self._acc.append(acc)
        self._gyr.append((gyr[0] / common.DPS, gyr[1] / common.DPS, gyr[2] / common.DPS))
        if len(self._acc) < round(self.rate_hz / _PACKETS_PER_S):
            return []
        flat = [value for row in (*self._acc, *self._gyr) for value in row]
        payload = struct.pack(f"<I{len(flat)}f", self._first_ns // CLOCK.tick_ns & 0xFFFFFFFF, *flat)
        self._acc, self._gyr = [], []
        reference = bytes([self._reference])
        parts = [payload[i : i + self.part] for i in range(0, len(payload), self.part)]
        codes = [_WHOLE, *[_REST] * (len(parts) - 1)]
        return self.sent(
            *(w.Notification(DATA, bytes([code]) + reference + one) for code, one in zip(codes, parts, strict=True))
        )


WEARABLE: w.Wearable = common.Kind(
    driver="movesense",
    title="Movesense HR+, HR2, Flash, Active",
    evidence=w.Evidence.CAPTURES,
    services=(SERVICE,),
    variants=("hr2",),
    names=("Movesense ",),
    needs=(COMMAND, DATA),
    opener=_Session,
    imitator=lambda _variant: _Virtual(),
    capabilities=w.Capabilities(
        rates_hz=_RATES, acc_ranges_g=(16,), gyr_ranges_dps=(2000,), clock=CLOCK, samples_per_packet=16, battery=True
    ),
    sample_config="""\
[[wearers.devices]]
name = "movesense"
driver = "movesense"
local_name = "Movesense 174630000192"
rate_hz = 104
""",
)
