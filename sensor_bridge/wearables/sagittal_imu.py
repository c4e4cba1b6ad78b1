"""Sagittal's own GATT profile, for boards that people program themselves; sketches stand in docs/firmware/.

All numbers are little endian. `data` (notify): u16 number of the first sample, u32 µs of the device clock at the first
sample, then n × 6 int16 (acc x y z, gyr x y z). `info` (read): u8 version 1, u8 features (1 gyroscope, 2 signal),
u32 granted rate in mHz, f32 m/s² a count, f32 rad/s a count. `control` (write): 00 stop; 01 start, u16 Hz, u8 g,
u16 °/s; 02 signal, u16 ms. `time` (write, notify): u32 token → u32 token, u32 µs when it came, u32 µs when the answer
left. The battery is the standard service.
"""

from __future__ import annotations

import struct
from typing import ClassVar

from sagittal.blocks import AXES
from sensor_bridge.wearable import (
    Advertisement,
    Capabilities,
    Char,
    Clock,
    Counter,
    Event,
    Evidence,
    Gatt,
    Notification,
    Packet,
    Read,
    Recognised,
    Script,
    Session,
    Skipped,
    Subscribe,
    TimeReply,
    Vector,
    Wanted,
    Wearable,
    WearableRefused,
    Write,
)
from sensor_bridge.wearables._common import (
    BATTERY,
    COUNTS,
    DPS,
    NOTIFY,
    READ,
    READ_NOTIFY,
    WRITE,
    G,
    GattSession,
    Imitation,
    at_least,
    counts,
    needs_gyroscope,
    require,
    variant_of,
)

TITLE = "Sagittal IMU"
_BASE = "-41b6-4e0c-9d5a-2f8c3a7be914"
SERVICE = f"5a610000{_BASE}"
DATA, INFO = Char(SERVICE, f"5a610001{_BASE}"), Char(SERVICE, f"5a610002{_BASE}")
CONTROL, TIME = Char(SERVICE, f"5a610003{_BASE}"), Char(SERVICE, f"5a610004{_BASE}")

CLOCK = Clock(tick_ns=1000, bits=32)
COUNTER = Counter(bits=16, counts="samples")
VERSION = 1
_HAS_GYR, _HAS_SIGNAL = 1, 2
_STOP, _START, _SIGNAL = 0, 1, 2
_INFO = struct.Struct("<BBIff")
_HEAD = struct.Struct("<HI")
_BEGIN = struct.Struct("<BHBH")
_TIMES = struct.Struct("<III")
_ROW = 4 * AXES
_ACC_RANGES, _GYR_RANGES = (2, 4, 8, 16), (125, 250, 500, 1000, 2000)


class _Session(GattSession):
    def __init__(self, gatt: Gatt, wanted: Wanted) -> None:
        super().__init__(gatt, wanted, wanted.rate_hz)
        self._acc_scale = self._gyr_scale = 0.0
        self._signals = False

    def start(self) -> Script:
        yield Subscribe(DATA)
        if "notify" in self.gatt.get(TIME, ()):
            yield Subscribe(TIME)
        wanted = self.wanted
        acc, gyr = at_least(_ACC_RANGES, wanted.acc_range_g), at_least(_GYR_RANGES, wanted.gyr_range_dps)
        yield Write(CONTROL, _BEGIN.pack(_START, round(wanted.rate_hz), round(acc), round(gyr)))
        self._grant((yield Read(INFO)) or b"")
        yield from self.battery()

    def _grant(self, info: bytes) -> None:
        if len(info) < _INFO.size:
            raise WearableRefused(
                f"{TITLE} tells {len(info)} bytes about itself instead of {_INFO.size}: check its sketch"
            )
        version, features, rate_mhz, acc_scale, gyr_scale = _INFO.unpack_from(info)
        has_gyr = bool(features & _HAS_GYR)
        if version != VERSION:
            raise WearableRefused(
                f"{TITLE} speaks version {version}, this bridge version {VERSION}: update the older one"
            )
        if not (rate_mhz and 0 < acc_scale < 1 and (not has_gyr or 0 < gyr_scale < 1)):
            raise WearableRefused(f"{TITLE} tells a rate or a scale that can't be: check its sketch")
        if not has_gyr:
            needs_gyroscope(TITLE, self.wanted)
        self.has_gyr, self._signals, self.rate_hz = has_gyr, bool(features & _HAS_SIGNAL), rate_mhz / 1000
        self._acc_scale, self._gyr_scale = acc_scale, gyr_scale

    def stop(self) -> Script:
        yield Write(CONTROL, bytes([_STOP]))

    def haptic(self, on_ms: int) -> Script:
        if self._signals:
            yield Write(CONTROL, struct.pack("<BH", _SIGNAL, max(0, min(0xFFFF, on_ms))))

    def ask_time(self, token: int) -> Script:
        if TIME in self.gatt:
            yield Write(TIME, struct.pack("<I", token))

    def take(self, char: Char, data: bytes) -> list[Event]:
        if char == TIME and len(data) >= _TIMES.size:
            token, received, sent = _TIMES.unpack_from(data)
            return [TimeReply(token, received, sent, CLOCK)]
        if char != DATA or not self._acc_scale:
            return []
        n, rest = divmod(len(data) - _HEAD.size, _ROW)
        if n < 1 or rest:
            return [Skipped(len(data), "not a whole number of samples")]
        count, ticks = _HEAD.unpack_from(data)
        rows = [data[at : at + _ROW] for at in range(_HEAD.size, len(data), _ROW)]
        return [
            Packet(
                acc=b"".join(row[:6] for row in rows),
                acc_scale=self._acc_scale,
                gyr=b"".join(row[6:] for row in rows) if self.has_gyr else None,
                gyr_scale=self._gyr_scale if self.has_gyr else None,
                clock=CLOCK,
                ticks=ticks,
                counter=COUNTER,
                count=count,
            )
        ]


class _Virtual(Imitation):
    batch = 5

    def __init__(self) -> None:
        super().__init__()
        self.advertisement = Advertisement(TITLE, (SERVICE,))
        self.gatt: Gatt = {DATA: NOTIFY, INFO: READ, CONTROL: WRITE, TIME: WRITE | NOTIFY, BATTERY: READ_NOTIFY}
        self.rate_hz = 100.0
        self.signals_ms: list[int] = []
        self._acc_scale, self._gyr_scale = 8 * G / COUNTS, 1000 * DPS / COUNTS
        self._streaming = False
        self._count = self._first = 0
        self._rows: list[bytes] = []

    def read(self, char: Char) -> bytes:
        if char != INFO:
            return super().read(char)
        features = _HAS_GYR | _HAS_SIGNAL
        return _INFO.pack(VERSION, features, round(self.rate_hz * 1000), self._acc_scale, self._gyr_scale)

    def write(self, char: Char, data: bytes, t_ns: int) -> list[Notification]:
        if char == TIME and len(data) == 4:
            now = t_ns // 1000 & 0xFFFFFFFF
            return self.sent(Notification(TIME, data + struct.pack("<II", now, now)))
        if char != CONTROL or not data:
            return []
        if data[0] == _START and len(data) == _BEGIN.size:
            _, hz, acc_g, gyr_dps = _BEGIN.unpack(data)
            self.rate_hz = float(max(1, min(hz, 400)))
            self._acc_scale, self._gyr_scale = max(1, acc_g) * G / COUNTS, max(1, gyr_dps) * DPS / COUNTS
            self._streaming, self._rows = True, []
        elif data[0] == _SIGNAL and len(data) == 3:
            self.signals_ms.append(struct.unpack_from("<H", data, 1)[0])
        elif data[0] == _STOP:
            self._streaming = False
        return []

    def sample(self, t_ns: int, acc: Vector, gyr: Vector) -> list[Notification]:
        if not self._streaming or DATA not in self.listening:
            return []
        if not self._rows:
            self._first = t_ns // 1000
        self._rows.append(counts(acc, self._acc_scale) + counts(gyr, self._gyr_scale))
        if len(self._rows) < self.batch:
            return []
        head = _HEAD.pack(self._count & 0xFFFF, self._first & 0xFFFFFFFF)
        self._count += len(self._rows)
        rows, self._rows = self._rows, []
        return [Notification(DATA, head + b"".join(rows))]


class _SagittalImu:
    """A board with Sagittal's own profile: XIAO nRF52840 Sense, Nano 33 BLE Sense, and what CircuitPython runs on."""

    driver: ClassVar[str] = "sagittal"
    title: ClassVar[str] = TITLE
    evidence: ClassVar[Evidence] = Evidence.OWN
    services: ClassVar[tuple[str, ...]] = (SERVICE,)
    variants: ClassVar[tuple[str, ...]] = ("imu",)
    sample_config: ClassVar[str] = """\
[[wearers.devices]]
name = "board"
driver = "sagittal"
local_name = "Sagittal IMU"
rate_hz = 100
options = { acc_range_g = 8, gyr_range_dps = 1000 }
"""
    capabilities: ClassVar[Capabilities] = Capabilities(
        rates_hz=(25, 50, 100, 200, 400),
        acc_ranges_g=_ACC_RANGES,
        gyr_ranges_dps=_GYR_RANGES,
        clock=CLOCK,
        counter=COUNTER,
        samples_per_packet=5,
        battery=True,
        haptic=True,
        two_way_time=True,
    )

    def recognise(self, advertisement: Advertisement) -> Recognised | None:
        return Recognised(100, TITLE) if SERVICE in advertisement.service_uuids else None

    def open(self, gatt: Gatt, wanted: Wanted) -> Session:
        require(gatt, TITLE, DATA, INFO, CONTROL)
        return _Session(gatt, wanted)

    def virtual(self, variant: str = "") -> _Virtual:
        variant_of(TITLE, self.variants, variant)
        return _Virtual()


WEARABLE: Wearable = _SagittalImu()
