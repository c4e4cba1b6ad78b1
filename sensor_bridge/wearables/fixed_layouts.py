"""Wearables whose notifications are one fixed structure: one table, one reader, one writer.

Sources: NordicSemiconductor/Nordic-Thingy52-FW (ble_tms.h); TI's CC2650 SensorTag user's guide and bleak's example;
lancaster-university/microbit-dal (MicroBitAccelerometerService); adafruit/Adafruit_CircuitPython_BLE_Adafruit;
InfiniTime's doc/MotionService.md; pervasive-systems/eSense-Android-Library (ESenseManager, ESenseConfig). None of them
tells a time.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sagittal.blocks import pack_int16
from sensor_bridge import wearable as w
from sensor_bridge.wearables import _common as common
from sensor_bridge.wearables._pairing import ByOrder

_FLOAT_ACC_SCALE, _FLOAT_GYR_SCALE = 16 * common.G / common.COUNTS, 2000 * common.DPS / common.COUNTS
_SLACK = 20


@dataclass(frozen=True, slots=True)
class Stream:
    """A characteristic and the structure of what it sends.

    `acc` and `gyr` are the places of their first number; times their unit the numbers are m/s² and rad/s. `check` tells
    whether a notification is whole, `seal` makes it so; `count` is the place of a packet counter of eight bits.
    """

    char: w.Char
    layout: str
    acc: int | None = None
    acc_unit: float = 1.0
    gyr: int | None = None
    gyr_unit: float = 1.0
    count: int | None = None
    check: Callable[[bytes], bool] | None = None
    seal: Callable[[bytes], bytes] | None = None

    @property
    def floats(self) -> bool:
        """Whether it sends floating point numbers."""
        return "f" in self.layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A wearable: how it is found, set up and read.

    `start` makes the commands for a rate, `stop` those that end the stream; `rate_of` reads the rate back from a
    command, None where it tells none, 0 where it ends the stream.
    """

    driver: str
    title: str
    evidence: w.Evidence
    names: tuple[str, ...]
    service: str
    streams: tuple[Stream, ...]
    rates_hz: tuple[float, ...]
    acc_range_g: float
    gyr_range_dps: float | None
    start: Callable[[float], list[tuple[w.Char, bytes]]] = field(default=lambda _rate: [])
    stop: tuple[tuple[w.Char, bytes], ...] = ()
    rate_of: Callable[[w.Char, bytes], float | None] = field(default=lambda _char, _data: None)
    commands: Mapping[w.Char, frozenset[str]] = field(default_factory=dict)
    battery: bool = False
    evidence_note: str = ""

    @property
    def has_gyr(self) -> bool:
        """Whether it measures angular rates."""
        return self.gyr_range_dps is not None


COUNTER = w.Counter(bits=8, counts="packets")


class _Session(common.GattSession):
    def __init__(self, layout: Layout, gatt: w.Gatt, wanted: w.Wanted) -> None:
        super().__init__(gatt, wanted, common.at_least(layout.rates_hz, wanted.rate_hz))
        self._layout = layout
        self._streams = {stream.char: stream for stream in layout.streams}
        self._apart = len(layout.streams) > 1
        self._pairing = ByOrder(_SLACK)
        if not layout.has_gyr:
            self.without_gyroscope(layout.title)

    def start(self) -> w.Script:
        self.granted(self.rate_hz)
        for char in self._streams:
            yield w.Subscribe(char)
        for char, data in self._layout.start(self.rate_hz):
            yield self._write(char, data)
        yield from self.battery()

    def stop(self) -> w.Script:
        for char, data in self._layout.stop:
            yield self._write(char, data)

    def _write(self, char: w.Char, data: bytes) -> w.Write:
        return w.Write(char, data, response="write" in self.gatt[char])

    def take(self, char: w.Char, data: bytes) -> list[w.Event]:
        stream = self._streams.get(char)
        if stream is None:
            return []
        if len(data) < struct.calcsize(stream.layout) or (stream.check is not None and not stream.check(data)):
            return [w.Skipped(len(data), "not the structure that it should be")]
        values = struct.unpack_from(stream.layout, data)
        if not common.finite(values):
            return [w.Skipped(len(data), "not a number")]
        acc, acc_scale = _counts(values, stream.acc, stream.acc_unit, _FLOAT_ACC_SCALE if stream.floats else None)
        gyr, gyr_scale = _counts(values, stream.gyr, stream.gyr_unit, _FLOAT_GYR_SCALE if stream.floats else None)
        if self._apart:
            return self._pairing.add(acc, gyr, _FLOAT_ACC_SCALE, _FLOAT_GYR_SCALE)
        counted = stream.count is not None
        return [
            w.Packet(
                acc=acc,
                acc_scale=acc_scale,
                gyr=gyr or None,
                gyr_scale=gyr_scale if gyr else None,
                counter=COUNTER if counted else None,
                count=int(values[stream.count]) if stream.count is not None else None,
            )
        ]


def _counts(values: tuple[float, ...], at: int | None, unit: float, scale: float | None) -> tuple[bytes, float]:
    """Three numbers as counts and their scale: their own where they are whole, else the one given."""
    if at is None:
        return b"", unit
    three = values[at : at + 3]
    if scale is None:
        return pack_int16([int(value) for value in three]), unit
    return common.counts((value * unit for value in three), scale), scale


class _Virtual(common.Imitation):
    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self._layout = layout
        name = layout.names[0] + ("-1A2B" if layout.names[0].endswith("eSense") else "")
        self.advertisement = w.Advertisement(name, (layout.service,))
        streams = {stream.char: common.NOTIFY for stream in layout.streams}
        self.gatt: w.Gatt = {
            **streams,
            **layout.commands,
            **({common.BATTERY: common.READ_NOTIFY} if layout.battery else {}),
        }
        self.rate_hz = layout.rates_hz[-1]
        self._on = not layout.commands
        self._count = 0

    def write(self, char: w.Char, data: bytes, t_ns: int) -> list[w.Notification]:  # noqa: ARG002  # the same at any time
        rate = self._layout.rate_of(char, data)
        if rate:
            self.rate_hz = rate
        if rate is not None:
            self._on = rate > 0
        return []

    def sample(self, t_ns: int, acc: w.Vector, gyr: w.Vector) -> list[w.Notification]:  # noqa: ARG002  # it tells no time
        if not self._on:
            return []
        out = [w.Notification(stream.char, self._pack(stream, acc, gyr)) for stream in self._layout.streams]
        self._count = (self._count + 1) & 0xFF
        return self.sent(*out)

    def _pack(self, stream: Stream, acc: w.Vector, gyr: w.Vector) -> bytes:
        values: list[float] = [0] * len(struct.unpack(stream.layout, bytes(struct.calcsize(stream.layout))))
        for at, unit, three in ((stream.acc, stream.acc_unit, acc), (stream.gyr, stream.gyr_unit, gyr)):
            if at is not None and stream.floats:
                values[at : at + 3] = [value / unit for value in three]
            elif at is not None:
                values[at : at + 3] = struct.unpack("<3h", common.counts(three, unit))
        if stream.count is not None:
            values[stream.count] = self._count
        packed = struct.pack(stream.layout, *values)
        return packed if stream.seal is None else stream.seal(packed)


def _kind(layout: Layout) -> w.Wearable:
    return common.Kind(
        driver=layout.driver,
        title=layout.title,
        evidence=layout.evidence,
        evidence_note=layout.evidence_note,
        services=(layout.service,),
        variants=(layout.driver,),
        names=layout.names,
        needs=(*(stream.char for stream in layout.streams), *layout.commands),
        opener=lambda gatt, wanted: _Session(layout, gatt, wanted),
        imitator=lambda _variant: _Virtual(layout),
        capabilities=w.Capabilities(
            rates_hz=layout.rates_hz,
            acc_ranges_g=(layout.acc_range_g,),
            gyr_ranges_dps=() if layout.gyr_range_dps is None else (layout.gyr_range_dps,),
            counter=COUNTER if any(stream.count is not None for stream in layout.streams) else None,
            battery=layout.battery,
        ),
        sample_config=(
            f'[[wearers.devices]]\nname = "{layout.driver}"\ndriver = "{layout.driver}"\n'
            f'local_name = "{layout.names[0]}"\nrate_hz = {common.at_least(layout.rates_hz, 100):g}\n'
            + ("" if layout.has_gyr else "options = { accelerometer_only = true }\n")
        ),
    )


def _thingy() -> Layout:
    service = "ef680400-9b35-4933-9b10-52ffa9740042"
    config, raw = (
        w.Char(service, service.replace("0400", "0401", 1)),
        w.Char(service, service.replace("0400", "0406", 1)),
    )

    def start(rate_hz: float) -> list[tuple[w.Char, bytes]]:
        return [(config, struct.pack("<4HB", 500, 500, 500, round(rate_hz), 1))]

    def rate_of(char: w.Char, data: bytes) -> float | None:
        return float(struct.unpack_from("<H", data, 6)[0]) if char == config and len(data) == 9 else None

    return Layout(
        driver="thingy52",
        title="Nordic Thingy:52",
        evidence=w.Evidence.SPECIFICATION,
        names=("Thingy",),
        service=service,
        streams=(Stream(raw, "<9h", acc=0, acc_unit=common.G / 1024, gyr=3, gyr_unit=common.DPS / 32),),
        rates_hz=(50, 100, 200),
        acc_range_g=16,
        gyr_range_dps=1000,
        start=start,
        rate_of=rate_of,
        commands={config: common.WRITE},
        battery=True,
    )


def _sensortag() -> Layout:
    base = "-0451-4000-b000-000000000000"
    service = f"f000aa80{base}"
    data, config, period = (w.Char(service, f"f000aa8{digit}{base}") for digit in "123")
    range_g, range_bits, all_axes = 8, 2, 0x3F

    def start(rate_hz: float) -> list[tuple[w.Char, bytes]]:
        return [
            (period, bytes([round(100 / rate_hz)])),
            (config, struct.pack("<H", all_axes | range_bits << 8)),
        ]

    def rate_of(char: w.Char, written: bytes) -> float | None:
        if char == config and len(written) == 2:
            return 10.0 if written[0] else 0.0
        return None

    return Layout(
        driver="sensortag",
        title="TI CC2650 SensorTag",
        evidence=w.Evidence.SPECIFICATION,
        names=("CC2650 SensorTag", "SensorTag"),
        service=service,
        streams=(
            Stream(
                data,
                "<9h",
                gyr=0,
                gyr_unit=500 / 65536 * common.DPS,
                acc=3,
                acc_unit=range_g * common.G / common.COUNTS,
            ),
        ),
        rates_hz=(10,),
        acc_range_g=range_g,
        gyr_range_dps=250,
        start=start,
        stop=((config, b"\0\0"),),
        rate_of=rate_of,
        commands={config: common.WRITE, period: common.WRITE},
    )


def _microbit() -> Layout:
    service = "e95d0753-251d-470a-a062-fa1922dfa9a8"
    data, period = (
        w.Char(service, service.replace("0753", "ca4b", 1)),
        w.Char(service, service.replace("0753", "fb24", 1)),
    )
    periods_ms = {12.5: 80, 50.0: 20, 100.0: 10, 200.0: 5}

    def start(rate_hz: float) -> list[tuple[w.Char, bytes]]:
        return [(period, struct.pack("<H", periods_ms[rate_hz]))]

    def rate_of(char: w.Char, written: bytes) -> float | None:
        ms = int.from_bytes(written, "little") if char == period and len(written) == 2 else 0
        return next((rate for rate, one in periods_ms.items() if one == ms), None)

    return Layout(
        driver="microbit",
        title="micro:bit",
        evidence=w.Evidence.CAPTURES,
        evidence_note="one packet",
        names=("BBC micro:bit",),
        service=service,
        streams=(Stream(data, "<3h", acc=0, acc_unit=common.G / 1000),),
        rates_hz=tuple(periods_ms),
        acc_range_g=2,
        gyr_range_dps=None,
        start=start,
        rate_of=rate_of,
        commands={period: common.WRITE},
    )


def _adafruit() -> Layout:
    def uuid(short: int) -> str:
        return f"adaf{short:04x}-c332-42a8-93bd-25e905756cb8"

    acc, gyr = uuid(0x0200), uuid(0x0400)
    default_ms = 1000
    periods = w.Char(acc, uuid(0x0001)), w.Char(gyr, uuid(0x0001))

    def start(rate_hz: float) -> list[tuple[w.Char, bytes]]:
        return [(one, struct.pack("<i", round(1000 / rate_hz))) for one in periods]

    def rate_of(char: w.Char, data: bytes) -> float | None:
        if char not in periods or len(data) != 4:
            return None
        ms: int = struct.unpack("<i", data)[0]
        return 1000 / ms if ms > 0 else 0.0

    return Layout(
        driver="adafruit",
        title="Adafruit CLUE, Feather Sense",
        evidence=w.Evidence.SPECIFICATION,
        names=("CLUE", "Adafruit Feather Bluefruit Sense"),
        service=acc,
        streams=(Stream(w.Char(acc, uuid(0x0201)), "<3f", acc=0), Stream(w.Char(gyr, uuid(0x0401)), "<3f", gyr=0)),
        rates_hz=(10, 20, 50),
        acc_range_g=16,
        gyr_range_dps=2000,
        start=start,
        stop=tuple((one, struct.pack("<i", default_ms)) for one in periods),
        rate_of=rate_of,
        commands=dict.fromkeys(periods, common.WRITE),
    )


def _pinetime() -> Layout:
    service = "00030000-78fc-48fe-8e23-433b3a1942d0"
    return Layout(
        driver="pinetime",
        title="PineTime with InfiniTime",
        evidence=w.Evidence.SPECIFICATION,
        names=("InfiniTime",),
        service=service,
        streams=(Stream(w.Char(service, service.replace("0000", "0002", 1)), "<3h", acc=0, acc_unit=common.G / 1024),),
        rates_hz=(10,),
        acc_range_g=8,
        gyr_range_dps=None,
        battery=True,
    )


def _esense() -> Layout:
    service = w.sig(0xFF06)
    config, data = w.Char(service, w.sig(0xFF07)), w.Char(service, w.sig(0xFF08))
    head, length, checked = 0x55, 12, 3
    stop = bytes((0x53, 0x02, 0x02, 0x00, 0x00))

    def start(rate_hz: float) -> list[tuple[w.Char, bytes]]:
        body = bytes((2, 1, round(rate_hz)))
        return [(config, bytes((0x53, sum(body) & 0xFF)) + body)]

    def rate_of(char: w.Char, written: bytes) -> float | None:
        good = char == config and len(written) == 5 and written[0] == 0x53 and written[1] == sum(written[2:]) & 0xFF
        return float(written[4] * written[3]) if good else None

    def check(packet: bytes) -> bool:
        return packet[0] == head and packet[3] == length and packet[2] == sum(packet[checked:16]) & 0xFF

    def seal(packet: bytes) -> bytes:
        rest = bytes([length]) + packet[4:]
        return bytes((head, packet[1], sum(rest) & 0xFF)) + rest

    return Layout(
        driver="esense",
        title="eSense",
        evidence=w.Evidence.SPECIFICATION,
        names=("eSense",),
        service=service,
        streams=(
            Stream(
                data,
                ">4B6h",
                gyr=4,
                gyr_unit=common.DPS / 65.5,
                acc=7,
                acc_unit=common.G / 8192,
                count=1,
                check=check,
                seal=seal,
            ),
        ),
        rates_hz=(50, 100),
        acc_range_g=4,
        gyr_range_dps=500,
        start=start,
        stop=((config, stop),),
        rate_of=rate_of,
        commands={config: common.WRITE},
    )


LAYOUTS = (_thingy(), _sensortag(), _microbit(), _adafruit(), _pinetime(), _esense())
WEARABLES: tuple[w.Wearable, ...] = tuple(_kind(layout) for layout in LAYOUTS)
