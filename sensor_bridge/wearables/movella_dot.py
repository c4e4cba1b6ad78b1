"""Movella (Xsens) DOT, streaming calibrated acceleration and angular rate (payload mode 21).

Protocol after "Movella DOT BLE Service Specification", XD0506P revision C, July 2023. Its clock counts µs and wraps
after 71.6 minutes. Left alone it falls asleep after half an hour without motion, which a sitting wearer is: that is
switched off for the connection.
"""

from __future__ import annotations

import struct
from typing import ClassVar

from sensor_bridge.wearable import (
    Advertisement,
    Battery,
    Capabilities,
    Char,
    Clock,
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
    Vector,
    Wanted,
    Wearable,
    WearableRefused,
    Write,
)
from sensor_bridge.wearables._common import (
    COUNTS,
    DPS,
    NOTIFY,
    READ,
    READ_NOTIFY,
    G,
    GattSession,
    Imitation,
    at_least,
    counts,
    finite,
    require,
    variant_of,
)

TITLE = "Movella DOT"


def _uuid(short: int) -> str:
    return f"1517{short:04x}-4947-11e9-8646-d663bd873d93"


DEVICE_CONTROL = Char(_uuid(0x1000), _uuid(0x1002))
CONTROL, MEDIUM = Char(_uuid(0x2000), _uuid(0x2001)), Char(_uuid(0x2000), _uuid(0x2003))
BATTERY = Char(_uuid(0x3000), _uuid(0x3001))
COMPANY = 2182
CLOCK = Clock(tick_ns=1000, bits=32)
ACC_SCALE, GYR_SCALE = 16 * G / COUNTS, 2000 * DPS / COUNTS

_RATES = (10.0, 12.0, 15.0, 20.0, 30.0, 60.0)
_RATE_MODE = 21
_SET_POWER_SAVING, _SET_RATE = 0x04, 0x10
_DEFAULT_IDLE = b"\x0a\x00"
_EULER, _QUATERNION, _FREE, _ACC, _GYR = "euler_deg", "quaternion", "free_acc_mps2", "acc_mps2", "gyr_dps"
MODES: dict[int, tuple[str, ...]] = {
    4: (_EULER,),
    5: (_QUATERNION,),
    6: (_FREE,),
    16: (_EULER, _FREE),
    3: (_QUATERNION, _FREE),
    21: (_ACC, _GYR),
    22: (_EULER, _FREE, _GYR),
    24: (_QUATERNION, _GYR),
    26: (_QUATERNION, _ACC, _GYR),
}
"""What a payload holds after the time: three numbers each, quaternions (w x y z) four."""


def payload(mode: int, data: bytes) -> tuple[int, dict[str, tuple[float, ...]]]:
    """The time, µs, and the values of a payload.

    Raises
    ------
    ValueError
        Where it is too short.
    """
    sizes = {name: 4 if name == _QUATERNION else 3 for name in MODES[mode]}
    if len(data) < 4 + 4 * sum(sizes.values()):
        raise ValueError("too short")
    out, at = {}, 4
    for name, size in sizes.items():
        out[name] = struct.unpack_from(f"<{size}f", data, at)
        at += 4 * size
    return int.from_bytes(data[:4], "little"), out


class _Session(GattSession):
    def __init__(self, gatt: Gatt, wanted: Wanted) -> None:
        super().__init__(gatt, wanted, at_least(_RATES, wanted.rate_hz))

    def start(self) -> Script:
        yield Subscribe(MEDIUM)
        yield from self.stop()
        settings = (yield Read(DEVICE_CONTROL)) or b""
        idle = settings[3:5] if len(settings) >= 5 else _DEFAULT_IDLE
        command = bytearray(32)
        command[0] = _SET_POWER_SAVING | _SET_RATE
        command[3:5] = idle
        command[24:26] = round(self.rate_hz).to_bytes(2, "little")
        yield Write(DEVICE_CONTROL, bytes(command))
        yield Write(CONTROL, bytes((1, 1, _RATE_MODE)))
        if "read" in self.gatt[CONTROL]:
            state = (yield Read(CONTROL)) or b""
            if len(state) >= 3 and state[1:3] != bytes((1, _RATE_MODE)):
                raise WearableRefused(f"{TITLE} does not begin to measure: end its recording or its calibration first")
        yield from self.poll()
        if "notify" in self.gatt.get(BATTERY, ()):
            yield Subscribe(BATTERY)

    def stop(self) -> Script:
        yield Write(CONTROL, bytes((1, 0, _RATE_MODE)))

    def poll(self) -> Script:
        if "read" in self.gatt.get(BATTERY, ()):
            yield Read(BATTERY)

    def take(self, char: Char, data: bytes) -> list[Event]:
        if char == BATTERY:
            return [Battery(float(data[0]))] if data and data[0] <= 100 else []
        if char != MEDIUM:
            return []
        try:
            ticks, values = payload(_RATE_MODE, data)
        except ValueError as bad:
            return [Skipped(len(data), str(bad))]
        acc, gyr = values[_ACC], [value * DPS for value in values[_GYR]]
        if not finite((*acc, *gyr)):
            return [Skipped(len(data), "not a number")]
        return [
            Packet(
                acc=counts(acc, ACC_SCALE),
                acc_scale=ACC_SCALE,
                gyr=counts(gyr, GYR_SCALE),
                gyr_scale=GYR_SCALE,
                clock=CLOCK,
                ticks=ticks,
            )
        ]


class _Virtual(Imitation):
    def __init__(self) -> None:
        super().__init__()
        self.advertisement = Advertisement("Movella DOT", (), {COMPANY: b"\x01\x02"})
        self.gatt: Gatt = {
            DEVICE_CONTROL: READ | {"write"},
            CONTROL: READ | {"write"},
            MEDIUM: NOTIFY,
            BATTERY: READ_NOTIFY,
        }
        self.rate_hz = 60.0
        self.sleeps = True
        self._state = bytes((1, 0, _RATE_MODE))
        self._idle = _DEFAULT_IDLE

    def read(self, char: Char) -> bytes:
        if char == DEVICE_CONTROL:
            return bytes(3) + self._idle + bytes(19) + round(self.rate_hz).to_bytes(2, "little") + bytes(6)
        return {CONTROL: self._state, BATTERY: bytes((self.battery_percent, 0))}.get(char, b"")

    def write(self, char: Char, data: bytes, t_ns: int) -> list[Notification]:  # noqa: ARG002  # the same at any time
        measuring = bool(self._state[1])
        if char == CONTROL and len(data) == 3 and data[0] == 1:
            self._state = data
        elif char == DEVICE_CONTROL and len(data) == 32 and not measuring:
            if data[0] & _SET_POWER_SAVING:
                self._idle, self.sleeps = data[3:5], any(data[5:7])
            rate = float(int.from_bytes(data[24:26], "little"))
            if data[0] & _SET_RATE and rate in _RATES:
                self.rate_hz = rate
        return []

    def sample(self, t_ns: int, acc: Vector, gyr: Vector) -> list[Notification]:
        if self._state[1:] != bytes((1, _RATE_MODE)):
            return []
        ticks = t_ns // CLOCK.tick_ns & 0xFFFFFFFF
        data = struct.pack("<I6f", ticks, *acc, *(value / DPS for value in gyr))
        return self.sent(Notification(MEDIUM, data + bytes(40 - len(data))))


class _Dot:
    """Movella DOT, also sold as Xsens DOT."""

    driver: ClassVar[str] = "movella_dot"
    title: ClassVar[str] = "Movella DOT, Xsens DOT"
    evidence: ClassVar[Evidence] = Evidence.SPECIFICATION
    services: ClassVar[tuple[str, ...]] = (_uuid(0x1000), _uuid(0x2000))
    variants: ClassVar[tuple[str, ...]] = ("dot",)
    sample_config: ClassVar[str] = """\
[[wearers.devices]]
name = "dot"
driver = "movella_dot"
address = "D4:22:CD:00:01:02"
rate_hz = 60
"""
    capabilities: ClassVar[Capabilities] = Capabilities(
        rates_hz=_RATES,
        acc_ranges_g=(16,),
        gyr_ranges_dps=(2000,),
        clock=CLOCK,
        counter=None,
        samples_per_packet=1,
        battery=True,
    )

    def recognise(self, advertisement: Advertisement) -> Recognised | None:
        if (advertisement.local_name or "") in ("Movella DOT", "Xsens DOT"):
            return Recognised(100, TITLE)
        return Recognised(50, TITLE, "by its maker only") if COMPANY in advertisement.manufacturer_data else None

    def open(self, gatt: Gatt, wanted: Wanted) -> Session:
        require(gatt, TITLE, DEVICE_CONTROL, CONTROL, MEDIUM)
        return _Session(gatt, wanted)

    def virtual(self, variant: str = "") -> _Virtual:
        variant_of(TITLE, self.variants, variant)
        return _Virtual()


WEARABLE: Wearable = _Dot()
