"""MbientLab MetaMotion R, RL and S: packed acceleration and angular rate, three samples a notification.

Protocol after mbientlab/MetaWear-SDK-Cpp (2023-01). Streams carry neither time nor counter; both sensors are one chip,
so the nth acceleration belongs to the nth angular rate.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sensor_bridge import wearable as w
from sensor_bridge.wearables import _common as common
from sensor_bridge.wearables._pairing import ByOrder

TITLE = "MetaMotion"
_BASE = "-85cb-9195-d9dd-464cfbbae75a"
SERVICE = f"326a9000{_BASE}"
COMMAND, DATA = w.Char(SERVICE, f"326a9001{_BASE}"), w.Char(SERVICE, f"326a9006{_BASE}")

_ACC, _GYRO, _FUSION = 0x03, 0x13, 0x19
_POWER, _SAMPLING, _CONFIG, _INFO = 0x01, 0x02, 0x03, 0x80
_READ = 0x80
_ABSENT = 2
_RATE_CODES = {25.0: 6, 50.0: 7, 100.0: 8, 200.0: 9}
_RATES = tuple(_RATE_CODES)
_ACC_RANGES = (2.0, 4.0, 8.0, 16.0)
_GYR_RANGES = (2000.0, 1000.0, 500.0, 250.0, 125.0)
_GYR_COUNTS = {2000.0: 16.4, 1000.0: 32.8, 500.0: 65.6, 250.0: 131.2, 125.0: 262.4}
_ROW = 6
_SLACK = 60


@dataclass(frozen=True, slots=True)
class _Chip:
    """A Bosch chip: the registers of packed samples, the bits beside the rate, and the codes of the ranges."""

    acc_register: int
    gyr_register: int
    acc_bits: int
    acc_ranges: tuple[int, ...]


_CHIPS = {
    1: _Chip(0x1C, 0x07, 0x20, (0x03, 0x05, 0x08, 0x0C)),
    4: _Chip(0x05, 0x05, 0xA0, (0x00, 0x01, 0x02, 0x03)),
}
"""By the implementation that the accelerometer module tells: BMI160, BMI270."""
_FUSED = {0x04: 3, 0x05: 3, 0x07: 4, 0x08: 4, 0x09: 3, 0x0A: 3}


def rows(data: bytes) -> bytes:
    """The int16 rows of a notification, one or three.

    Raises
    ------
    ValueError
        Where there is no whole number of them.
    """
    if len(data) < 2 + _ROW or (len(data) - 2) % _ROW:
        raise ValueError("not a whole number of samples")
    return data[2:]


def acc_scale(range_g: float) -> float:
    """m/s² a count at a range."""
    return range_g * common.G / common.COUNTS


def gyr_scale(range_dps: float) -> float:
    """rad/s a count at a range."""
    return common.DPS / _GYR_COUNTS[range_dps]


def fused(data: bytes) -> tuple[float, ...]:
    """The numbers of a notification of the sensor fusion module, in its own units.

    Raises
    ------
    ValueError
        Where it is none, or too short.
    """
    n = _FUSED.get(data[1], 0) if len(data) > 1 and data[0] == _FUSION else 0
    if not n or len(data) < 2 + 4 * n:
        raise ValueError("not the sensor fusion's")
    return struct.unpack_from(f"<{n}f", data, 2)


class _Session(common.GattSession):
    def __init__(self, gatt: w.Gatt, wanted: w.Wanted) -> None:
        super().__init__(gatt, wanted, common.at_least(_RATES, wanted.rate_hz))
        self._acc_range = common.at_least(_ACC_RANGES, wanted.acc_range_g)
        self._gyr_range = common.at_least(_GYR_RANGES, wanted.gyr_range_dps)
        self._chip = _CHIPS[1]
        self._pairing = ByOrder(_SLACK)

    def start(self) -> w.Script:
        self.granted(self.rate_hz)
        yield w.Subscribe(DATA)
        acc = (yield self._ask(_ACC)) or b""
        gyr = (yield self._ask(_GYRO)) or b""
        chip = _CHIPS.get(acc[2]) if len(acc) > _ABSENT else None
        if chip is None or len(gyr) <= _ABSENT:
            raise w.WearableRefused(
                f"this {TITLE} has another motion sensor than the BMI160 or BMI270: use a MetaMotion R, RL or S"
            )
        self._chip = chip
        yield from self.stop()
        code = _RATE_CODES[self.rate_hz]
        acc_range = chip.acc_ranges[_ACC_RANGES.index(self._acc_range)]
        gyr_range = _GYR_RANGES.index(self._gyr_range)
        yield self._write(_ACC, _CONFIG, chip.acc_bits | code, acc_range)
        yield self._write(_GYRO, _CONFIG, 0x20 | code, gyr_range)
        for module, register in ((_ACC, chip.acc_register), (_GYRO, chip.gyr_register)):
            yield self._write(module, register, 1)
            yield self._write(module, _SAMPLING, 1, 0)
        self._pairing = ByOrder(_SLACK)
        for module in (_ACC, _GYRO):
            yield self._write(module, _POWER, 1)
        yield from self.battery()

    def stop(self) -> w.Script:
        for module, register in ((_ACC, self._chip.acc_register), (_GYRO, self._chip.gyr_register)):
            yield self._write(module, _POWER, 0)
            yield self._write(module, _SAMPLING, 0, 1)
            yield self._write(module, register, 0)

    @staticmethod
    def _write(*data: int) -> w.Action:
        return w.Write(COMMAND, bytes(data), response=False)

    @staticmethod
    def _ask(module: int) -> w.Ask:
        head = bytes((module, _INFO))
        return w.Ask(COMMAND, head, DATA, lambda data: data[:2] == head, response=False)

    def take(self, char: w.Char, data: bytes) -> list[w.Event]:
        if char != DATA or data[:2] not in (
            bytes((_ACC, self._chip.acc_register)),
            bytes((_GYRO, self._chip.gyr_register)),
        ):
            return []
        try:
            samples = rows(data)
        except ValueError as bad:
            return [w.Skipped(len(data), str(bad))]
        scales = acc_scale(self._acc_range), gyr_scale(self._gyr_range)
        if data[0] == _ACC:
            return self._pairing.add(samples, b"", *scales)
        return self._pairing.add(b"", samples, *scales)


class _Virtual(common.Imitation):
    def __init__(self, variant: str) -> None:
        super().__init__()
        self._implementation = 1 if variant == "bmi160" else 4
        self._chip = _CHIPS[self._implementation]
        self.advertisement = w.Advertisement("MetaWear", (SERVICE,))
        self.gatt: w.Gatt = {COMMAND: common.WRITE, DATA: common.NOTIFY, common.BATTERY: common.READ_NOTIFY}
        self.rate_hz = 100.0
        self._scales = {_ACC: acc_scale(4), _GYRO: gyr_scale(2000)}
        self._on: dict[tuple[int, int], int] = {}
        self._rows: dict[int, bytes] = {_ACC: b"", _GYRO: b""}

    def write(self, char: w.Char, data: bytes, t_ns: int) -> list[w.Notification]:  # noqa: ARG002  # the same at any time
        if char != COMMAND or len(data) < 2 or data[0] not in self._scales:
            return []
        module, register = data[0], data[1]
        if register == _INFO:
            tail = bytes((self._implementation if module == _ACC else self._implementation // 4, 1))
            return self.sent(w.Notification(DATA, data[:2] + tail))
        if register == _CONFIG and len(data) == 4:
            self._configure(module, data[2], data[3])
        elif len(data) > 2:
            self._on[module, register] = data[2]
            self._rows[module] = b""
        return []

    def _configure(self, module: int, rate: int, range_: int) -> None:
        self.rate_hz = next((hz for hz, code in _RATE_CODES.items() if code == rate & 0x0F), self.rate_hz)
        if module == _ACC and range_ in self._chip.acc_ranges:
            self._scales[_ACC] = acc_scale(_ACC_RANGES[self._chip.acc_ranges.index(range_)])
        elif module == _GYRO and range_ < len(_GYR_RANGES):
            self._scales[_GYRO] = gyr_scale(_GYR_RANGES[range_])

    def sample(self, t_ns: int, acc: w.Vector, gyr: w.Vector) -> list[w.Notification]:  # noqa: ARG002  # it tells no time
        out = []
        for module, register, values in (
            (_ACC, self._chip.acc_register, acc),
            (_GYRO, self._chip.gyr_register, gyr),
        ):
            if not all(self._on.get((module, one)) for one in (_POWER, _SAMPLING, register)):
                continue
            self._rows[module] += common.counts(values, self._scales[module])
            if len(self._rows[module]) == 3 * _ROW:
                out.append(w.Notification(DATA, bytes((module, register)) + self._rows[module]))
                self._rows[module] = b""
        return self.sent(*out)


WEARABLE: w.Wearable = common.Kind(
    driver="metamotion",
    title="MbientLab MetaMotion R, RL, S",
    evidence=w.Evidence.VENDOR,
    services=(SERVICE,),
    variants=("bmi160", "bmi270"),
    names=("MetaWear",),
    needs=(COMMAND, DATA),
    opener=_Session,
    imitator=_Virtual,
    capabilities=w.Capabilities(
        rates_hz=_RATES, acc_ranges_g=_ACC_RANGES, gyr_ranges_dps=_GYR_RANGES[::-1], samples_per_packet=3, battery=True
    ),
    sample_config="""\
[[wearers.devices]]
name = "meta"
driver = "metamotion"
address = "F2:5A:00:01:02:03"
rate_hz = 100
options = { acc_range_g = 8, gyr_range_dps = 1000 }
""",
)
