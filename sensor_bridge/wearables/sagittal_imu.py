"""Sagittal's own GATT profile, for boards that people program themselves; sketches stand in docs/firmware/.

All numbers are little endian. `data` (notify): u16 number of the first sample, u32 µs of the device clock at the first
sample, then n × 6 int16 (acc x y z, gyr x y z). `info` (read): u8 version 1, u8 features (1 gyroscope, 2 signal),
u32 granted rate in mHz, f32 m/s² a count, f32 rad/s a count. `control` (write): 00 stop; 01 start, u16 Hz, u8 g,
u16 °/s; 02 signal, u16 ms. `time` (write, notify): u32 token → u32 token, u32 µs when it came, u32 µs when the answer
left. The battery is the standard service.
"""

from __future__ import annotations

import struct

from sagittal.blocks import AXES
from sensor_bridge import wearable as w
from sensor_bridge.wearables import _common as common

TITLE = "Sagittal IMU"
_BASE = "-41b6-4e0c-9d5a-2f8c3a7be914"
SERVICE = f"5a610000{_BASE}"
DATA, INFO = w.Char(SERVICE, f"5a610001{_BASE}"), w.Char(SERVICE, f"5a610002{_BASE}")
CONTROL, TIME = w.Char(SERVICE, f"5a610003{_BASE}"), w.Char(SERVICE, f"5a610004{_BASE}")

CLOCK = w.Clock(tick_ns=1000, bits=32)
COUNTER = w.Counter(bits=16, counts="samples")
VERSION = 1
_HAS_GYR, _HAS_SIGNAL = 1, 2
_STOP, _START, _SIGNAL = 0, 1, 2
_INFO = struct.Struct("<BBIff")
_HEAD = struct.Struct("<HI")
_BEGIN = struct.Struct("<BHBH")
_TIMES = struct.Struct("<III")
_ROW = 4 * AXES
_ACC_RANGES, _GYR_RANGES = (2, 4, 8, 16), (125, 250, 500, 1000, 2000)


class _Session(common.GattSession):
    def __init__(self, gatt: w.Gatt, wanted: w.Wanted) -> None:
        super().__init__(gatt, wanted, wanted.rate_hz)
        self._acc_scale = self._gyr_scale = 0.0
        self._signals = False

    def start(self) -> w.Script:
        yield w.Subscribe(DATA)
        if "notify" in self.gatt.get(TIME, ()):
            yield w.Subscribe(TIME)
        wanted = self.wanted
        acc, gyr = common.at_least(_ACC_RANGES, wanted.acc_range_g), common.at_least(_GYR_RANGES, wanted.gyr_range_dps)
        yield w.Write(CONTROL, _BEGIN.pack(_START, round(wanted.rate_hz), round(acc), round(gyr)))
        self._grant((yield w.Read(INFO)) or b"")
        yield from self.battery()

    def _grant(self, info: bytes) -> None:
        if len(info) < _INFO.size:
            raise w.WearableRefused(
                f"{TITLE} tells {len(info)} bytes about itself instead of {_INFO.size}: check its sketch"
            )
        version, features, rate_mhz, acc_scale, gyr_scale = _INFO.unpack_from(info)
        has_gyr = bool(features & _HAS_GYR)
        if version != VERSION:
            raise w.WearableRefused(
                f"{TITLE} speaks version {version}, this bridge version {VERSION}: update the older one"
            )
        if not (rate_mhz and 0 < acc_scale < 1 and (not has_gyr or 0 < gyr_scale < 1)):
            raise w.WearableRefused(f"{TITLE} tells a rate or a scale that can't be: check its sketch")
        if not has_gyr:
            self.without_gyroscope(TITLE)
        self._signals = bool(features & _HAS_SIGNAL)
        self.granted(rate_mhz / 1000)
        self._acc_scale, self._gyr_scale = acc_scale, gyr_scale

    def stop(self) -> w.Script:
        yield w.Write(CONTROL, bytes([_STOP]))

    def haptic(self, on_ms: int) -> w.Script:
        if self._signals:
            yield w.Write(CONTROL, struct.pack("<BH", _SIGNAL, max(0, min(0xFFFF, on_ms))))

    def ask_time(self, token: int) -> w.Script:
        if TIME in self.gatt:
            yield w.Write(TIME, struct.pack("<I", token))

    def take(self, char: w.Char, data: bytes) -> list[w.Event]:
        if char == TIME and len(data) >= _TIMES.size:
            token, received, sent = _TIMES.unpack_from(data)
            return [w.TimeReply(token, received, sent, CLOCK)]
        if char != DATA or not self._acc_scale:
            return []
        n, rest = divmod(len(data) - _HEAD.size, _ROW)
        if n < 1 or rest:
            return [w.Skipped(len(data), "not a whole number of samples")]
        count, ticks = _HEAD.unpack_from(data)
        rows = [data[at : at + _ROW] for at in range(_HEAD.size, len(data), _ROW)]
        return [
            w.Packet(
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


class _Virtual(common.Imitation):
    batch = 5

    def __init__(self) -> None:
        super().__init__()
        self.advertisement = w.Advertisement("Sagittal", (SERVICE,))
        self.gatt: w.Gatt = {
            DATA: common.NOTIFY,
            INFO: common.READ,
            CONTROL: common.WRITE,
            TIME: common.WRITE | common.NOTIFY,
            common.BATTERY: common.READ_NOTIFY,
        }
        self.rate_hz = 100.0
        self.signals_ms: list[int] = []
        self._acc_scale, self._gyr_scale = 8 * common.G / common.COUNTS, 1000 * common.DPS / common.COUNTS
        self._streaming = False
        self._count = self._first = 0
        self._rows: list[bytes] = []

    def read(self, char: w.Char) -> bytes:
        if char != INFO:
            return super().read(char)
        features = _HAS_GYR | _HAS_SIGNAL
        return _INFO.pack(VERSION, features, round(self.rate_hz * 1000), self._acc_scale, self._gyr_scale)

    def write(self, char: w.Char, data: bytes, t_ns: int) -> list[w.Notification]:
        if char == TIME and len(data) == 4:
            now = t_ns // 1000 & 0xFFFFFFFF
            return self.sent(w.Notification(TIME, data + struct.pack("<II", now, now)))
        if char != CONTROL or not data:
            return []
        if data[0] == _START and len(data) == _BEGIN.size:
            _, hz, acc_g, gyr_dps = _BEGIN.unpack(data)
            self.rate_hz = float(max(1, min(hz, 400)))
            self._acc_scale, self._gyr_scale = (
                max(1, acc_g) * common.G / common.COUNTS,
                max(1, gyr_dps) * common.DPS / common.COUNTS,
            )
            self._streaming, self._rows = True, []
        elif data[0] == _SIGNAL and len(data) == 3:
            self.signals_ms.append(struct.unpack_from("<H", data, 1)[0])
        elif data[0] == _STOP:
            self._streaming = False
        return []

    def sample(self, t_ns: int, acc: w.Vector, gyr: w.Vector) -> list[w.Notification]:
        if not self._streaming or DATA not in self.listening:
            self._rows = []
            return []
        if not self._rows:
            self._first = t_ns // 1000
        self._rows.append(common.counts(acc, self._acc_scale) + common.counts(gyr, self._gyr_scale))
        if len(self._rows) < self.batch:
            return []
        head = _HEAD.pack(self._count & 0xFFFF, self._first & 0xFFFFFFFF)
        self._count += len(self._rows)
        rows, self._rows = self._rows, []
        return [w.Notification(DATA, head + b"".join(rows))]


WEARABLE: w.Wearable = common.Kind(
    driver="sagittal",
    title="Own boards with Sagittal's profile (XIAO Sense, Nano 33 BLE Sense, CircuitPython)",
    evidence=w.Evidence.OWN,
    services=(SERVICE,),
    variants=("imu",),
    needs=(DATA, INFO, CONTROL),
    opener=_Session,
    imitator=lambda _variant: _Virtual(),
    capabilities=w.Capabilities(
        rates_hz=(25, 50, 100, 200, 400),
        acc_ranges_g=_ACC_RANGES,
        gyr_ranges_dps=_GYR_RANGES,
        clock=CLOCK,
        counter=COUNTER,
        samples_per_packet=5,
        battery=True,
        haptic=True,
        two_way_time=True,
    ),
    sample_config="""\
[[wearers.devices]]
name = "board"
driver = "sagittal"
local_name = "Sagittal"
rate_hz = 100
options = { acc_range_g = 8, gyr_range_dps = 1000 }
""",
)
