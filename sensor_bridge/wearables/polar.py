"""Polar's sensors that stream raw motion: Verity Sense (with gyroscope), H10 and OH1 (without), by the PMD service.

Protocol after polarofficial/polar-ble-sdk (8fb5311c, 2026-05-29); the frames themselves are read in `_pmd`. They carry
the device's time of their last sample; acceleration and angular rate come apart and are paired by it. A stream that is
not stopped keeps an H10 awake until its battery is flat.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from sagittal.blocks import unpack_int16
from sagittal.units import NS_PER_S
from sensor_bridge import wearable as w
from sensor_bridge.wearables import _common as common
from sensor_bridge.wearables import _pmd
from sensor_bridge.wearables._pairing import ByTime

TITLE = "Polar sensor"
_BASE = "-02e7-f387-1cad-8acd2d8df0c8"
SERVICE = f"fb005c80{_BASE}"
CONTROL, DATA = w.Char(SERVICE, f"fb005c81{_BASE}"), w.Char(SERVICE, f"fb005c82{_BASE}")
CLOCK = w.Clock(tick_ns=1, bits=64)
_GYR_FULL_SCALE_DPS = 2000
_FLOAT_GYR_SCALE = _GYR_FULL_SCALE_DPS * common.DPS / common.COUNTS

_SETTINGS, _START, _STOP = 1, 2, 3
_ANSWER, _FEATURES = 0xF0, 0x0F
_OK, _ALREADY, _MTU, _CHARGING = 0, 6, 10, 13
_ERRORS = {
    3: "it does not support this",
    7: "it has no such resolution",
    8: "it has no such rate",
    9: "it has no such range",
    _MTU: "the connection's packets are too small (MTU): connect from a computer that can exchange larger ones",
    12: "another program is using it: end that one first",
    _CHARGING: "it is in its charger: take it out",
}
_SDK_ABOVE_HZ = 52
_WHAT = {_pmd.ACC: "acceleration", _pmd.GYRO: "angular rate", _pmd.SDK_MODE: "its raw mode"}


class _Answer:
    """Collects the control point's answer to one command, which may come in several pieces."""

    def __init__(self, operation: int, kind: int) -> None:
        self._head = bytes((_ANSWER, operation, kind))
        self._open = False
        self.error = 0
        self.parameters = b""

    def __call__(self, data: bytes) -> bool:
        if self._open:
            self._open = data[:1] not in (b"\0", b"")
            self.parameters += data[1:]
            return not self._open
        if not data.startswith(self._head) or len(data) < 4:
            return False
        self.error, self.parameters = data[3], data[5:]
        self._open = self.error == _OK and len(data) > 4 and data[4] != 0
        return not self._open


class _Session(common.GattSession):
    def __init__(self, gatt: w.Gatt, wanted: w.Wanted) -> None:
        super().__init__(gatt, wanted, wanted.rate_hz)
        self._factors = {_pmd.ACC: 1.0, _pmd.GYRO: 1.0}
        self._last: dict[int, int] = {}
        self._raw_mode = False
        self._pairing = ByTime(NS_PER_S // 52)

    def start(self) -> w.Script:
        yield w.Subscribe(CONTROL)
        yield w.Subscribe(DATA)
        features = (yield w.Read(CONTROL)) or b""
        if len(features) < 3 or features[0] != _FEATURES:
            raise w.WearableRefused(f"{TITLE} does not tell what it can measure: update its firmware with Polar's app")
        if not features[1] & 1 << _pmd.ACC:
            raise w.WearableRefused(f"this {TITLE} streams no acceleration: use a Verity Sense")
        self.has_gyr = bool(features[1] & 1 << _pmd.GYRO)
        if not self.has_gyr:
            self.without_gyroscope(f"this {TITLE}")
        if self.has_gyr and features[2] & 2 and self.wanted.rate_hz > _SDK_ABOVE_HZ:
            yield from self._ask(_START, _pmd.SDK_MODE, b"", fine=(_OK, _ALREADY))
            self._raw_mode = True
        yield from self._begin(_pmd.ACC, self.wanted.acc_range_g)
        if self.has_gyr:
            yield from self._begin(_pmd.GYRO, self.wanted.gyr_range_dps)
        self._pairing = ByTime(round(NS_PER_S / self.rate_hz))
        self.granted(self.rate_hz)
        yield from self.battery()

    def stop(self) -> w.Script:
        for kind in (_pmd.ACC, *((_pmd.GYRO,) if self.has_gyr else ()), *((_pmd.SDK_MODE,) if self._raw_mode else ())):
            yield from self._ask(_STOP, kind, b"", fine=range(256))

    def _begin(self, kind: int, wanted_range: float) -> w.Script:
        can = self._settings((yield from self._ask(_SETTINGS, kind, b"")).parameters)
        rates = can.get(_pmd.RATE) or [float(_SDK_ABOVE_HZ)]
        chosen: dict[int, Sequence[float]] = {_pmd.RATE: [common.at_least(rates, self.wanted.rate_hz)]}
        for what, values in can.items():
            if what in (_pmd.RESOLUTION, _pmd.CHANNELS) and values:
                chosen[what] = [max(values)]
            elif what == _pmd.RANGE and values:
                chosen[what] = [common.at_least(values, wanted_range)]
        self.rate_hz = chosen[_pmd.RATE][0]
        packed = _pmd.pack_settings(chosen)
        answer = yield from self._ask(_START, kind, packed, fine=(_OK, _ALREADY))
        if answer.error == _ALREADY:
            yield from self._ask(_STOP, kind, b"", fine=range(256))
            answer = yield from self._ask(_START, kind, packed)
        factor = self._settings(answer.parameters).get(_pmd.FACTOR, [1.0])[0]
        if not 0 < factor < 1e3:
            raise w.WearableRefused(f"{TITLE} tells a factor of {factor} for its {_WHAT[kind]}: restart it")
        self._factors[kind] = factor

    @staticmethod
    def _settings(parameters: bytes) -> dict[int, list[float]]:
        try:
            return _pmd.settings(parameters)
        except _pmd.BadFrame:
            return {}

    def _ask(
        self, operation: int, kind: int, parameters: bytes, fine: Sequence[int] = (_OK,)
    ) -> Generator[w.Action, bytes | None, _Answer]:
        answer = _Answer(operation, kind)
        yield w.Ask(CONTROL, bytes((operation, kind)) + parameters, CONTROL, answer, timeout_s=5.0)
        if answer.error not in fine:
            why = _ERRORS.get(answer.error, f"error {answer.error}")
            raise w.WearableRefused(f"{TITLE} refuses to stream {_WHAT[kind]}: {why}")
        return answer

    def take(self, char: w.Char, data: bytes) -> list[w.Event]:
        if char == CONTROL:
            stopped = data[:1] == b"\1" and len(data) > 1 and all(kind in self._factors for kind in data[1:])
            return [w.Stopped("the sensor ended its stream")] if stopped else []
        if char != DATA or not data:
            return []
        kind = data[0] & 0x3F
        if kind not in self._factors:
            return []
        try:
            frame = _pmd.parse(data, self._factors[kind])
        except _pmd.BadFrame as bad:
            return [w.Skipped(len(data), str(bad))]
        if not common.finite(value for row in frame.rows for value in row):
            return [w.Skipped(len(data), "not a number")]
        return self._acc(frame) if kind == _pmd.ACC else self._gyr(frame)

    def _acc(self, frame: _pmd.Frame) -> list[w.Event]:
        packet = w.Packet(
            acc=common.counts((value for row in frame.rows for value in row), 1.0),
            acc_scale=frame.scale * common.G / 1000,
            clock=CLOCK,
            ticks=frame.t_ns,
            anchor=len(frame.rows) - 1,
        )
        times = self._times(frame)
        return self._pairing.acc(times, packet) if self.has_gyr else [packet]

    def _gyr(self, frame: _pmd.Frame) -> list[w.Event]:
        times = self._times(frame)
        whole = all(isinstance(value, int) for row in frame.rows for value in row)
        scale = frame.scale * common.DPS if whole else _FLOAT_GYR_SCALE
        flat = common.counts(
            (value for row in frame.rows for value in row), 1.0 if whole else scale / (frame.scale * common.DPS)
        )
        return self._pairing.gyr(times, common.triples(unpack_int16(flat)), scale)

    def _times(self, frame: _pmd.Frame) -> list[int]:
        """Times of a frame's samples: spread since the frame before, by the nominal rate where none is near."""
        n, period_ns = len(frame.rows), NS_PER_S / max(1.0, self.rate_hz)
        before = self._last.get(frame.kind)
        self._last[frame.kind] = frame.t_ns
        if before is not None and 0.5 * period_ns < (frame.t_ns - before) / n < 1.5 * period_ns:
            period_ns = (frame.t_ns - before) / n
        return [frame.t_ns - round((n - 1 - i) * period_ns) for i in range(n)]


class _Virtual(common.Imitation):
    """A Verity Sense (52 Hz, or to 416 Hz in raw mode) or an H10."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        self._verity = variant == "verity"
        self.advertisement = w.Advertisement("Polar Sense 1A2B3C4D" if self._verity else "Polar H10 1A2B3C4D")
        self.gatt: w.Gatt = {
            CONTROL: common.READ | {"write", "indicate"},
            DATA: common.NOTIFY,
            common.BATTERY: common.READ_NOTIFY,
        }
        self.rate_hz = 52.0 if self._verity else 200.0
        self._raw_mode = False
        self._scales: dict[int, float] = {}
        self._rows: dict[int, list[list[int]]] = {_pmd.ACC: [], _pmd.GYRO: []}

    def read(self, char: w.Char) -> bytes:
        if char != CONTROL:
            return super().read(char)
        return bytes((_FEATURES, 0b0110_1110, 0b10) if self._verity else (_FEATURES, 0b101, 0)) + bytes(14)

    def _can(self, kind: int) -> dict[int, Sequence[float]] | None:
        if not self._verity:
            settings: dict[int, Sequence[float]] = {
                _pmd.RATE: (25, 50, 100, 200),
                _pmd.RESOLUTION: (16,),
                _pmd.RANGE: (2, 4, 8),
            }
            return settings if kind == _pmd.ACC else None
        ranges = {_pmd.ACC: (2, 4, 8, 16), _pmd.GYRO: (250, 500, 1000, 2000)}
        if kind not in ranges:
            return None
        return {
            _pmd.RATE: (26, 52, 104, 208, 416) if self._raw_mode else (52,),
            _pmd.RESOLUTION: (16,),
            _pmd.RANGE: ranges[kind] if self._raw_mode else ranges[kind][-2:],
            _pmd.CHANNELS: (3,),
        }

    def write(self, char: w.Char, data: bytes, t_ns: int) -> list[w.Notification]:  # noqa: ARG002  # the same at any time
        if char != CONTROL or len(data) < 2:
            return []
        operation, kind = data[0], data[1]
        error, parameters = self._obey(operation, kind, data[2:])
        tail = b"\0" + parameters if error == _OK else b"\0"
        return self.sent(w.Notification(CONTROL, bytes((_ANSWER, operation, kind, error)) + tail))

    def _obey(self, operation: int, kind: int, parameters: bytes) -> tuple[int, bytes]:
        if kind == _pmd.SDK_MODE and self._verity:
            self._raw_mode = operation == _START
            return _OK, b""
        can = self._can(kind)
        if can is None:
            return 3, b""
        if operation == _SETTINGS:
            return _OK, _pmd.pack_settings(can)
        if operation == _STOP:
            return (_OK if self._scales.pop(kind, None) else _ALREADY), b""
        return self._start(kind, can, parameters)

    def _start(self, kind: int, can: dict[int, Sequence[float]], parameters: bytes) -> tuple[int, bytes]:
        if kind in self._scales:
            return _ALREADY, b""
        try:
            chosen = _pmd.settings(parameters)
        except _pmd.BadFrame:
            return 4, b""
        for what, error in ((_pmd.RATE, 8), (_pmd.RANGE, 9)):
            if len(chosen.get(what, ())) != 1 or chosen[what][0] not in can[what]:
                return error, b""
        self.rate_hz = chosen[_pmd.RATE][0]
        full = chosen[_pmd.RANGE][0]
        self._rows[kind] = []
        if not self._verity:
            self._scales[kind] = common.G / 1000
            return _OK, b""
        factor = full * 1000 / common.COUNTS if kind == _pmd.ACC else full / common.COUNTS
        packed = _pmd.pack_settings({_pmd.FACTOR: [factor]})
        factor = _pmd.settings(packed)[_pmd.FACTOR][0]
        self._scales[kind] = factor * (common.G / 1000 if kind == _pmd.ACC else common.DPS)
        return _OK, packed

    def sample(self, t_ns: int, acc: w.Vector, gyr: w.Vector) -> list[w.Notification]:
        out = []
        for kind, values, batch in ((_pmd.ACC, acc, 24 if self._verity else 36), (_pmd.GYRO, gyr, 28)):
            if kind not in self._scales:
                continue
            rows = self._rows[kind]
            rows.append(unpack_int16(common.counts(values, self._scales[kind])))
            if len(rows) == batch:
                self._rows[kind] = []
                packed = _pmd.plain(kind, t_ns, rows)
                if self._verity:
                    packed = _pmd.compress(kind, 0x81 if kind == _pmd.ACC else 0x80, t_ns, rows)
                out.append(w.Notification(DATA, packed))
        return self.sent(*out)


def _recognise(advertisement: w.Advertisement) -> w.Recognised | None:
    name = advertisement.local_name or ""
    if name.startswith("Polar Sense"):
        return w.Recognised(90, "Polar Verity Sense")
    for model in ("H10", "OH1"):
        if name.startswith(f"Polar {model}"):
            return w.Recognised(90, f"Polar {model}", common.NO_GYROSCOPE, has_gyr=False)
    return None


WEARABLE: w.Wearable = common.Kind(
    driver="polar",
    title="Polar Verity Sense; H10 and OH1 without gyroscope",
    evidence=w.Evidence.VENDOR,
    services=(SERVICE,),
    variants=("verity", "h10"),
    recogniser=_recognise,
    needs=(CONTROL, DATA),
    opener=_Session,
    imitator=_Virtual,
    capabilities=w.Capabilities(
        rates_hz=(52, 104, 208),
        acc_ranges_g=(2, 4, 8, 16),
        gyr_ranges_dps=(250, 500, 1000, 2000),
        clock=CLOCK,
        samples_per_packet=36,
        battery=True,
    ),
    sample_config="""\
[[wearers.devices]]
name = "verity"
driver = "polar"
local_name = "Polar Sense 1A2B3C4D"
rate_hz = 52
""",
)
