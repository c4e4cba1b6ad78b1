"""The edge-ml profile: OpenEarable 1, and Nano 33 BLE Sense or XIAO nRF52840 Sense with EdgeML-Arduino.

Protocol after edge-ml/EdgeML-Arduino (2024-01) and OpenEarable/open-earable 1.4.0. OpenEarable sends everything at
once; the boards send acceleration and angular rate apart. True rates are lower than asked, 47.6 for 50 Hz: they are
measured.
"""

from __future__ import annotations

import struct
from dataclasses import replace

from sagittal.blocks import unpack_int16
from sagittal.units import NS_PER_S
from sensor_bridge import wearable as w
from sensor_bridge.wearables import _common as common
from sensor_bridge.wearables._pairing import ByTime

TITLE = "edge-ml sensor"
_BASE = "-34aa-11eb-adc1-0242ac120002"
SERVICE = f"34c2e3bb{_BASE}"
DATA, CONFIG = w.Char(SERVICE, f"34c2e3bc{_BASE}"), w.Char(SERVICE, f"34c2e3bd{_BASE}")
CLOCK = w.Clock(tick_ns=1_000_000, bits=32)
ACC_SCALE, GYR_SCALE = 16 * common.G / common.COUNTS, 2000 * common.DPS / common.COUNTS

_IMU = _ACC = 0
_GYR = 1
_APART, _TOGETHER = 12, 36
_HEAD = struct.Struct("<BBI")
_CONFIG = struct.Struct("<BfI")
_RATES, _MAX_TOGETHER = (10.0, 25.0, 50.0, 100.0), 50.0


class _Session(common.GattSession):
    def __init__(self, gatt: w.Gatt, wanted: w.Wanted) -> None:
        super().__init__(gatt, wanted, common.at_least(_RATES, wanted.rate_hz))
        self._apart = False
        self._wraps = self._ticks = 0
        self._pairing = ByTime(round(NS_PER_S / self.rate_hz))

    def start(self) -> w.Script:
        yield w.Subscribe(DATA)
        try:
            first = yield self._configure(_IMU, min(self.rate_hz, _MAX_TOGETHER))
        except TimeoutError:
            raise w.WearableRefused(f"{TITLE} sends nothing once configured: restart it, or flash it anew") from None
        self._apart = first is not None and first[1] == _APART
        if self._apart:
            yield w.Write(CONFIG, _CONFIG.pack(_IMU, self.rate_hz, 0))
            yield w.Write(CONFIG, _CONFIG.pack(_GYR, self.rate_hz, 0))
        self.granted(self.rate_hz if self._apart else min(self.rate_hz, _MAX_TOGETHER))

    @staticmethod
    def _configure(sensor: int, rate_hz: float) -> w.Ask:
        data = _CONFIG.pack(sensor, rate_hz, 0)
        return w.Ask(CONFIG, data, DATA, lambda data: len(data) > _HEAD.size and data[0] == sensor, timeout_s=5.0)

    def stop(self) -> w.Script:
        yield w.Write(CONFIG, _CONFIG.pack(_IMU, 0.0, 0))
        if self._apart:
            yield w.Write(CONFIG, _CONFIG.pack(_GYR, 0.0, 0))

    def take(self, char: w.Char, data: bytes) -> list[w.Event]:
        if char != DATA:
            return []
        length = len(data) - _HEAD.size
        if length < _APART or data[1] != length or length not in (_APART, _TOGETHER) or data[0] not in (_IMU, _GYR):
            return [w.Skipped(len(data), "not the layout of acceleration or angular rate")]
        sensor, _, ticks = _HEAD.unpack_from(data)
        values = struct.unpack_from("<6f" if length == _TOGETHER else "<3f", data, _HEAD.size)
        if not common.finite(values):
            return [w.Skipped(len(data), "not a number")]
        gyr = common.counts((value * common.DPS for value in values[-3:]), GYR_SCALE)
        if sensor == _GYR:
            return self._pairing.gyr([self._time_ns(ticks)], common.triples(unpack_int16(gyr)), GYR_SCALE)
        packet = w.Packet(
            acc=common.counts((value * common.G for value in values[:3]), ACC_SCALE),
            acc_scale=ACC_SCALE,
            clock=CLOCK,
            ticks=ticks,
        )
        if length == _APART:
            return self._pairing.acc([self._time_ns(ticks)], packet)
        return [replace(packet, gyr=gyr, gyr_scale=GYR_SCALE)]

    def _time_ns(self, ticks: int) -> int:
        if self._ticks - ticks > 1 << (CLOCK.bits - 1):
            self._wraps += 1
        self._ticks = ticks
        return (self._wraps << CLOCK.bits | ticks) * CLOCK.tick_ns


class _Virtual(common.Imitation):
    def __init__(self, variant: str) -> None:
        super().__init__()
        self._together = variant == "openearable"
        self.advertisement = w.Advertisement("OpenEarable-1A2B" if self._together else "NICLA-1A2B", (SERVICE,))
        self.gatt: w.Gatt = {DATA: common.NOTIFY, CONFIG: common.WRITE}
        self._rates = {_ACC: 0.0, _GYR: 0.0}

    @property
    def rate_hz(self) -> float:
        """What was asked for, whatever is streamed."""
        return self._rates[_ACC] or 50.0

    def write(self, char: w.Char, data: bytes, t_ns: int) -> list[w.Notification]:  # noqa: ARG002  # the same at any time
        if char != CONFIG or len(data) != _CONFIG.size:
            return []
        sensor, rate_hz, _ = _CONFIG.unpack(data)
        if sensor not in self._rates or not 0 <= rate_hz <= 400:
            return []
        self._rates[sensor] = min(rate_hz, _MAX_TOGETHER) if self._together else rate_hz
        return []

    def sample(self, t_ns: int, acc: w.Vector, gyr: w.Vector) -> list[w.Notification]:
        ticks = t_ns // CLOCK.tick_ns & 0xFFFFFFFF
        acc_g, gyr_dps = [value / common.G for value in acc], [value / common.DPS for value in gyr]
        out = []
        if self._rates[_ACC]:
            values = [*acc_g, *gyr_dps, 20.0, 0.0, -40.0] if self._together else acc_g
            out.append(_packed(_ACC, ticks, values))
        if self._rates[_GYR] and not self._together:
            out.append(_packed(_GYR, ticks, gyr_dps))
        return self.sent(*out)


def _packed(sensor: int, ticks: int, values: list[float]) -> w.Notification:
    return w.Notification(DATA, _HEAD.pack(sensor, 4 * len(values), ticks) + struct.pack(f"<{len(values)}f", *values))


WEARABLE: w.Wearable = common.Kind(
    driver="openearable",
    title="OpenEarable 1, edge-ml boards (Nano 33 BLE Sense, XIAO Sense)",
    evidence=w.Evidence.SPECIFICATION,
    services=(SERVICE,),
    variants=("openearable", "nano33"),
    names=("OpenEarable",),
    needs=(DATA, CONFIG),
    opener=_Session,
    imitator=_Virtual,
    capabilities=w.Capabilities(
        rates_hz=_RATES, acc_ranges_g=(16,), gyr_ranges_dps=(2000,), clock=CLOCK, battery=False
    ),
    sample_config="""\
[[wearers.devices]]
name = "edge"
driver = "openearable"
service = "34c2e3bb-34aa-11eb-adc1-0242ac120002"
rate_hz = 50
""",
)
