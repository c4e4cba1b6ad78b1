"""Movella (Xsens) DOT, streaming calibrated acceleration and angular rate (payload mode 21).

Protocol after "Movella DOT BLE Service Specification", XD0506P revision C, July 2023. Its clock counts µs and wraps
after 71.6 minutes. Left alone it falls asleep after half an hour without motion, which a sitting wearer is: that is
switched off for the connection.
"""

from __future__ import annotations

import struct

from sensor_bridge import wearable as w
from sensor_bridge.wearables import _common as common

TITLE = "Movella DOT"


def _uuid(short: int) -> str:
    return f"1517{short:04x}-4947-11e9-8646-d663bd873d93"


DEVICE_CONTROL = w.Char(_uuid(0x1000), _uuid(0x1002))
CONTROL, MEDIUM = w.Char(_uuid(0x2000), _uuid(0x2001)), w.Char(_uuid(0x2000), _uuid(0x2003))
BATTERY = w.Char(_uuid(0x3000), _uuid(0x3001))
COMPANY = 2182
CLOCK = w.Clock(tick_ns=1000, bits=32)
ACC_SCALE, GYR_SCALE = 16 * common.G / common.COUNTS, 2000 * common.DPS / common.COUNTS

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


class _Session(common.GattSession):
    def __init__(self, gatt: w.Gatt, wanted: w.Wanted) -> None:
        super().__init__(gatt, wanted, common.at_least(_RATES, wanted.rate_hz))

    def start(self) -> w.Script:
        self.granted(self.rate_hz)
        yield w.Subscribe(MEDIUM)
        yield from self.stop()
        settings = (yield w.Read(DEVICE_CONTROL)) or b""
        idle = settings[3:5] if len(settings) >= 5 else _DEFAULT_IDLE
        command = bytearray(32)
        command[0] = _SET_POWER_SAVING | _SET_RATE
        command[3:5] = idle
        command[24:26] = round(self.rate_hz).to_bytes(2, "little")
        yield w.Write(DEVICE_CONTROL, bytes(command))
        yield w.Write(CONTROL, bytes((1, 1, _RATE_MODE)))
        if "read" in self.gatt[CONTROL]:
            state = (yield w.Read(CONTROL)) or b""
            if len(state) >= 3 and state[1:3] != bytes((1, _RATE_MODE)):
                raise w.WearableRefused(
                    f"{TITLE} does not begin to measure: end its recording or its calibration first"
                )
        yield from self.poll()
        if "notify" in self.gatt.get(BATTERY, ()):
            yield w.Subscribe(BATTERY)

    def stop(self) -> w.Script:
        yield w.Write(CONTROL, bytes((1, 0, _RATE_MODE)))

    def poll(self) -> w.Script:
        if "read" in self.gatt.get(BATTERY, ()):
            yield w.Read(BATTERY)

    def take(self, char: w.Char, data: bytes) -> list[w.Event]:
        if char == BATTERY:
            return [w.Battery(float(data[0]))] if data and data[0] <= 100 else []
        if char != MEDIUM:
            return []
        try:
            ticks, values = payload(_RATE_MODE, data)
        except ValueError as bad:
            return [w.Skipped(len(data), str(bad))]
        acc, gyr = values[_ACC], [value * common.DPS for value in values[_GYR]]
        if not common.finite((*acc, *gyr)):
            return [w.Skipped(len(data), "not a number")]
        return [
            w.Packet(
                acc=common.counts(acc, ACC_SCALE),
                acc_scale=ACC_SCALE,
                gyr=common.counts(gyr, GYR_SCALE),
                gyr_scale=GYR_SCALE,
                clock=CLOCK,
                ticks=ticks,
            )
        ]


class _Virtual(common.Imitation):
    def __init__(self) -> None:
        super().__init__()
        self.advertisement = w.Advertisement("Movella DOT", (), {COMPANY: b"\x01\x02"})
        self.gatt: w.Gatt = {
            DEVICE_CONTROL: common.READ | {"write"},
            CONTROL: common.READ | {"write"},
            MEDIUM: common.NOTIFY,
            BATTERY: common.READ_NOTIFY,
        }
        self.rate_hz = 60.0
        self.sleeps = True
        self._state = bytes((1, 0, _RATE_MODE))
        self._idle = _DEFAULT_IDLE

    def read(self, char: w.Char) -> bytes:
        if char == DEVICE_CONTROL:
            return bytes(3) + self._idle + bytes(19) + round(self.rate_hz).to_bytes(2, "little") + bytes(6)
        return {CONTROL: self._state, BATTERY: bytes((self.battery_percent, 0))}.get(char, b"")

    def write(self, char: w.Char, data: bytes, t_ns: int) -> list[w.Notification]:  # noqa: ARG002  # the same at any time
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

    def sample(self, t_ns: int, acc: w.Vector, gyr: w.Vector) -> list[w.Notification]:
        if self._state[1:] != bytes((1, _RATE_MODE)):
            return []
        ticks = t_ns // CLOCK.tick_ns & 0xFFFFFFFF
        data = struct.pack("<I6f", ticks, *acc, *(value / common.DPS for value in gyr))
        return self.sent(w.Notification(MEDIUM, data + bytes(40 - len(data))))


def _recognise(advertisement: w.Advertisement) -> w.Recognised | None:
    known = (advertisement.local_name or "") in ("Movella DOT", "Xsens DOT") or COMPANY not in (
        advertisement.manufacturer_data
    )
    return None if known else w.Recognised(50, TITLE, "by its maker only")


WEARABLE: w.Wearable = common.Kind(
    driver="movella_dot",
    title="Movella DOT, Xsens DOT",
    evidence=w.Evidence.SPECIFICATION,
    services=(_uuid(0x1000), _uuid(0x2000)),
    variants=("dot",),
    names=("Movella DOT", "Xsens DOT"),
    recogniser=_recognise,
    needs=(DEVICE_CONTROL, CONTROL, MEDIUM),
    opener=_Session,
    imitator=lambda _variant: _Virtual(),
    capabilities=w.Capabilities(rates_hz=_RATES, acc_ranges_g=(16,), gyr_ranges_dps=(2000,), clock=CLOCK, battery=True),
    sample_config="""\
[[wearers.devices]]
name = "dot"
driver = "movella_dot"
address = "D4:22:CD:00:01:02"
rate_hz = 60
""",
)
