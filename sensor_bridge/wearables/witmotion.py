"""WitMotion's BLE 5.0 family (WT901BLECL, BWT901BLE5.0, WT9011DCL): frames `55 61` of 20 or 28 bytes.

Layout after WITMOTION/WitBluetooth_BWT901BLE5_0 (2024-09) and the datasheet v23-0420. A frame has neither counter nor
checksum; the 28-byte one of the SDCL models ends with the time of a clock that was seen 0.7 % off.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime

from sagittal.units import NS_PER_S
from sensor_bridge import wearable as w
from sensor_bridge.wearables import _common as common

TITLE = "WitMotion BLE 5.0"
_BASE = "-0000-1000-8000-00805f9a34fb"
"""Not the base of the Bluetooth SIG, which has 9b."""
SERVICE = f"0000ffe5{_BASE}"
DATA, COMMAND = w.Char(SERVICE, f"0000ffe4{_BASE}"), w.Char(SERVICE, f"0000ffe9{_BASE}")
DUAL_SERVICE = "49535343-fe7d-4ae5-8fa9-9fafd205e455"
DUAL_DATA = w.Char(DUAL_SERVICE, "49535343-1e4d-4bd9-ba61-23c647249616")
DUAL_COMMAND = w.Char(DUAL_SERVICE, "49535343-8841-43f4-a8d4-ecbe34729bb3")

ACC_SCALE = 16 * common.G / common.COUNTS
GYR_SCALE = 2000 * common.DPS / common.COUNTS
CLOCK = w.Clock(tick_ns=NS_PER_S // 1000, bits=64)
PLAIN, TIMED = 20, 28
_SAMPLE, _ANSWER = b"\x55\x61", b"\x55\x71"
_UNLOCK = bytes.fromhex("ffaa6988b5")
_RATE, _READ, _VOLTAGE = 0x03, 0x27, 0x64
_RATE_CODES = {10.0: 6, 20.0: 7, 50.0: 8, 100.0: 9}
_RATES = tuple(_RATE_CODES)
_RELEARN_AFTER = 5
_CHARGE = (
    (397, 100),
    (393, 90),
    (387, 75),
    (382, 60),
    (379, 50),
    (377, 40),
    (373, 30),
    (370, 20),
    (368, 15),
    (350, 10),
)
"""Hundredths of a volt from which the charge is so many per cent, as told by WitMotion's support."""
_NEARLY_EMPTY = 5
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def _set(register: int, value: int) -> bytes:
    return struct.pack("<BBBh", 0xFF, 0xAA, register, value)


def _get(register: int) -> bytes:
    return bytes((0xFF, 0xAA, _READ, register, 0))


def _head(register: int) -> bytes:
    return _ANSWER + bytes((register, 0))


def _days(year: int, month: int, day: int) -> int:
    """Days of the Gregorian calendar since a fixed one, for any month and day that a broken clock may claim."""
    year, month = year - (month <= 2), (month + 9) % 12  # the year is counted from March
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 1


def _milliseconds(tail: bytes) -> int:
    """Since 2000-01-01."""
    year, month, day, hour, minute, second = tail[:6]
    days = _days(2000 + year, month, day) - _days(2000, 1, 1)
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + int.from_bytes(tail[6:8], "little")


class Frames:
    """Cuts the byte stream into frames and learns whether they have 20 or 28 bytes from where the next one begins."""

    def __init__(self) -> None:
        self._buffer = b""
        self._aligned = True
        self._length: int | None = None
        self._misses = 0
        self.skipped = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that became whole, in order; `skipped` counts the bytes that belonged to none."""
        if not self._buffer:
            self._aligned = True
        elif self._length is None and data[:2] in (_SAMPLE, _ANSWER) and len(self._buffer) in (PLAIN, TIMED):
            self._length = len(self._buffer)
        self._buffer += data
        frames: list[bytes] = []
        while (end := self._next()) is not None:
            frames.append(self._buffer[:end])
            self._buffer = self._buffer[end:]
        return frames

    def _next(self) -> int | None:
        while True:
            self._seek()
            if len(self._buffer) < PLAIN:
                return None
            end = PLAIN if self._buffer[:2] == _ANSWER else self._length or self._learn()
            if end is None or len(self._buffer) < end:
                return None
            following = self._buffer[end : end + 2]
            if following in (_SAMPLE, _ANSWER) or (not following and self._aligned):
                self._misses = 0
                return end
            if len(following) < 2 and b"\x55".startswith(following):
                return None
            self._miss()

    def _learn(self) -> int | None:
        for length in (PLAIN, TIMED):
            if self._buffer[length : length + 2] in (_SAMPLE, _ANSWER):
                self._length = length
                return length
        if len(self._buffer) >= TIMED + 2:
            self._miss()
        return None

    def _miss(self) -> None:
        """This header is none, or its frame is damaged: look for the next one."""
        self._aligned = False
        self._buffer = self._buffer[2:]
        self.skipped += 2
        self._misses += 1
        if self._misses >= _RELEARN_AFTER:
            self._length, self._misses = None, 0

    def _seek(self) -> None:
        found = [at for at in (self._buffer.find(_SAMPLE), self._buffer.find(_ANSWER)) if at >= 0]
        at = min(found, default=len(self._buffer) - self._buffer.endswith(b"\x55"))
        if at:
            self._aligned = False
            self.skipped += at
            self._buffer = self._buffer[at:]


class _Session(common.GattSession):
    def __init__(self, gatt: w.Gatt, wanted: w.Wanted, data: w.Char, command: w.Char) -> None:
        super().__init__(gatt, wanted, common.at_least(_RATES, wanted.rate_hz))
        self._data, self._command = data, command
        self._frames = Frames()

    def start(self) -> w.Script:
        self.granted(self.rate_hz)
        yield w.Subscribe(self._data)
        code = _RATE_CODES[self.rate_hz]
        yield self._write(_UNLOCK)
        yield w.Sleep(0.1)
        yield self._write(_set(_RATE, code))
        yield w.Sleep(0.1)
        try:
            answer = (yield self._ask(_RATE)) or b""
            told = answer.partition(_head(_RATE))[2][:1]
            if told and told[0] != code:
                self.note(f"the rate was not taken: the wearable answers code {told[0]} instead of {code}")
        except TimeoutError:
            self.note("the wearable does not tell its rate; it is measured instead")
        yield from self.poll()

    def poll(self) -> w.Script:
        try:
            yield self._ask(_VOLTAGE)
        except TimeoutError:
            self.note("the wearable does not tell its battery")

    def _write(self, data: bytes) -> w.Write:
        return w.Write(self._command, data, response="write" in self.gatt[self._command])

    def _ask(self, register: int) -> w.Ask:
        write = self._write(_get(register))
        head = _head(register)
        return w.Ask(write.char, write.data, self._data, lambda data: head in data, write.response, timeout_s=2.0)

    def take(self, char: w.Char, data: bytes) -> list[w.Event]:
        if char != self._data:
            return []
        before = self._frames.skipped
        frames = self._frames.feed(data)
        events: list[w.Event] = []
        if self._frames.skipped > before:
            events.append(w.Skipped(self._frames.skipped - before, "no frame begins or ends there"))
        plain = [frame for frame in frames if frame[:2] == _SAMPLE and len(frame) == PLAIN]
        if plain:
            events.append(_packet(plain))
        for frame in frames:
            if frame[:2] == _ANSWER:
                events += _answer(frame)
            elif len(frame) == TIMED:
                events.append(_packet([frame], _milliseconds(frame[PLAIN:])))
        return events


def _packet(frames: list[bytes], ticks: int | None = None) -> w.Packet:
    return w.Packet(
        acc=b"".join(frame[2:8] for frame in frames),
        acc_scale=ACC_SCALE,
        gyr=b"".join(frame[8:14] for frame in frames),
        gyr_scale=GYR_SCALE,
        clock=None if ticks is None else CLOCK,
        ticks=ticks,
    )


def _answer(frame: bytes) -> list[w.Event]:
    register, value = struct.unpack_from("<Hh", frame, 2)
    if register != _VOLTAGE or value <= 0:
        return []
    return [w.Battery(next((percent for volt, percent in _CHARGE if value >= volt), _NEARLY_EMPTY))]


class _Virtual(common.Imitation):
    """Ten samples a second until told otherwise; commands need the unlock, as on the real one."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.advertisement = w.Advertisement("WT901BLE67" if length == PLAIN else "WTSDCL67")
        self.gatt: w.Gatt = {DATA: common.NOTIFY, COMMAND: common.WRITE}
        self.rate_hz = 10.0
        self._length = length
        self._locked = True

    def write(self, char: w.Char, data: bytes, t_ns: int) -> list[w.Notification]:  # noqa: ARG002  # the same at any time
        if char != COMMAND or len(data) != 5 or data[:2] != b"\xff\xaa":
            return []
        register, value = data[2], data[3]
        if register == _READ:
            answer = _ANSWER + struct.pack("<H8h", value, self._register(value), *[0] * 7)
            return self.sent(w.Notification(DATA, answer))
        self._obey(data, register, value)
        return []

    def _obey(self, data: bytes, register: int, value: int) -> None:
        if data == _UNLOCK:
            self._locked = False
        elif register == _RATE and not self._locked:
            self.rate_hz = next((rate for rate, code in _RATE_CODES.items() if code == value), self.rate_hz)

    def _register(self, register: int) -> int:
        return {_RATE: _RATE_CODES[self.rate_hz], _VOLTAGE: 390}.get(register, 0)

    def sample(self, t_ns: int, acc: w.Vector, gyr: w.Vector) -> list[w.Notification]:
        frame = _SAMPLE + common.counts(acc, ACC_SCALE) + common.counts(gyr, GYR_SCALE) + bytes(6)
        if self._length == TIMED:
            second, ns = divmod(t_ns, NS_PER_S)
            now = datetime.fromtimestamp(EPOCH.timestamp() + second, UTC)
            ms = ns * 1000 // NS_PER_S
            frame += struct.pack("<6BH", now.year - 2000, now.month, now.day, now.hour, now.minute, now.second, ms)
        return self.sent(w.Notification(DATA, frame))


def _recognise(advertisement: w.Advertisement) -> w.Recognised | None:
    name = (advertisement.local_name or "").upper()
    if name.startswith(("WT901", "WT9011", "BWT901", "WTSDCL")):
        return w.Recognised(96, TITLE)
    named = name.startswith("WT") and not {SERVICE, DUAL_SERVICE} & set(advertisement.service_uuids)
    return w.Recognised(30, TITLE, "by its name only") if named else None


def _open(gatt: w.Gatt, wanted: w.Wanted) -> w.Session:
    for one, other in ((DATA, COMMAND), (DUAL_DATA, DUAL_COMMAND)):
        for data, command in ((one, other), (other, one)):  # some units have them swapped
            if "notify" in gatt.get(data, ()) and common.WRITE & gatt.get(command, frozenset()):
                return _Session(gatt, wanted, data, command)
    raise w.WearableRefused(f"{TITLE} lacks its data or command characteristic: it may be another product")


WEARABLE: w.Wearable = common.Kind(
    driver="witmotion",
    title=TITLE,
    evidence=w.Evidence.CAPTURES,
    evidence_note="28-byte frames; the scales of 20-byte ones from the vendor's code",
    services=(SERVICE, DUAL_SERVICE),
    variants=("wt901", "sdcl"),
    recogniser=_recognise,
    opener=_open,
    imitator=lambda variant: _Virtual(TIMED if variant == "sdcl" else PLAIN),
    capabilities=w.Capabilities(rates_hz=_RATES, acc_ranges_g=(16,), gyr_ranges_dps=(2000,), clock=CLOCK, battery=True),
    sample_config="""\
[[wearers.devices]]
name = "wit"
driver = "witmotion"
local_name = "WT901BLE67"
rate_hz = 100
""",
)
