"""What the wearables' modules share: units, the standard battery, choosing a rate, floats as counts."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sagittal.blocks import pack_int16
from sagittal.units import STANDARD_GRAVITY_MPS2
from sensor_bridge.wearable import (
    Advertisement,
    Battery,
    Capabilities,
    Char,
    Event,
    Evidence,
    Gatt,
    Note,
    Notification,
    Read,
    Recognised,
    Script,
    Session,
    Subscribe,
    Virtual,
    Wanted,
    WearableRefused,
    sig,
)

G = STANDARD_GRAVITY_MPS2
DPS = math.pi / 180
"""One degree per second in rad/s."""
COUNTS = 32768
_HIGHEST, _LOWEST = 32767, -32768
BATTERY = Char(sig(0x180F), sig(0x2A19))
"""Battery level (Battery Service 1.1): one byte, per cent."""
NOTIFY = frozenset({"notify"})
WRITE = frozenset({"write", "write-without-response"})
READ = frozenset({"read"})
READ_NOTIFY = READ | NOTIFY
_BY_SERVICE, _BY_NAME = 95, 80


def at_least(values: Sequence[float], wanted: float) -> float:
    """The lowest value that is not below what is wanted, else the highest."""
    return min((value for value in values if value >= wanted - 1e-9), default=max(values))


def counts(values: Iterable[float], scale: float) -> bytes:
    """SI values as little-endian int16 counts of `scale`; what is beyond them stays at the limit."""
    return pack_int16([max(_LOWEST, min(_HIGHEST, round(value / scale))) for value in values])


def finite(values: Iterable[float]) -> bool:
    """Whether all are numbers."""
    return all(math.isfinite(value) for value in values)


def triples(rows: array[int] | Sequence[int]) -> list[tuple[int, int, int]]:
    """A flat row-by-row list as rows."""
    return [(rows[i], rows[i + 1], rows[i + 2]) for i in range(0, len(rows) - 2, 3)]


NO_GYROSCOPE = "no gyroscope: it can be recorded, but nothing is computed from it"


class GattSession(Session):
    """A session that knows the standard battery service, and what to tell the person."""

    def __init__(self, gatt: Gatt, wanted: Wanted, rate_hz: float) -> None:
        self.gatt, self.wanted, self.rate_hz = gatt, wanted, rate_hz
        self._notes: list[Event] = []
        self._told: set[str] = set()

    def battery(self) -> Script:
        """Subscribe to the battery where it tells of itself, and read it."""
        properties = self.gatt.get(BATTERY, frozenset())
        if "notify" in properties:
            yield Subscribe(BATTERY)
        if "read" in properties:
            yield Read(BATTERY)

    def poll(self) -> Script:
        """Read the battery."""
        if "read" in self.gatt.get(BATTERY, frozenset()):
            yield Read(BATTERY)

    def without_gyroscope(self, title: str) -> None:
        """Go on without angular rates, and tell the person.

        Raises
        ------
        WearableRefused
            Where that was not asked for.
        """
        self.has_gyr = False
        if not self.wanted.accelerometer_only:
            raise WearableRefused(
                f"{title} has no gyroscope, so neither posture nor gait can be computed: use another wearable, "
                "or set accelerometer_only = true in its options to record it nevertheless"
            )
        self.note("it has no gyroscope: it is recorded, but neither posture nor gait is computed")

    def granted(self, rate_hz: float) -> None:
        """The rate that it will measure at; one below what is wanted is told."""
        self.rate_hz = rate_hz
        if rate_hz < 0.9 * self.wanted.rate_hz:
            self.note(f"it measures at {rate_hz:g} Hz, not at the {self.wanted.rate_hz:g} Hz in the settings")

    def note(self, text: str) -> None:
        """Tell the person once, with the next thing that comes."""
        if text not in self._told:
            self._told.add(text)
            self._notes.append(Note(text))

    def feed(self, char: Char, data: bytes) -> list[Event]:
        """The battery here, everything else in `take`."""
        notes, self._notes = self._notes, []
        if char == BATTERY:
            return [*notes, Battery(float(data[0]))] if data and data[0] <= 100 else notes
        return [*notes, *self.take(char, bytes(data))]

    def take(self, char: Char, data: bytes) -> list[Event]:
        """What a module makes of its own characteristics."""
        raise NotImplementedError


class Imitation:
    """The ground of virtual wearables: who listens to what, and a charged battery."""

    battery_percent = 87

    def __init__(self) -> None:
        self.listening: set[Char] = set()

    def subscribe(self, char: Char, on: bool) -> None:  # as GATT has it
        """Remember who listens."""
        (self.listening.add if on else self.listening.discard)(char)

    def read(self, char: Char) -> bytes:
        """The battery; nothing else can be read."""
        return bytes([self.battery_percent]) if char == BATTERY else b""

    def sent(self, *notifications: Notification) -> list[Notification]:
        """Those to which someone listens."""
        return [one for one in notifications if one.char in self.listening]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of wearable put together from its parts; `Wearable` says what they mean.

    `names` are the beginnings of its advertised name and `recogniser` whatever else gives it away; `needs` are the
    characteristics without which it is none; `opener` and `imitator` make a session and a virtual wearable.
    """

    driver: str
    title: str
    evidence: Evidence
    services: tuple[str, ...]
    variants: tuple[str, ...]
    sample_config: str
    capabilities: Capabilities
    opener: Callable[[Gatt, Wanted], Session]
    imitator: Callable[[str], Virtual]
    names: tuple[str, ...] = ()
    needs: tuple[Char, ...] = ()
    recogniser: Callable[[Advertisement], Recognised | None] = lambda _advertisement: None
    evidence_note: str = ""

    def recognise(self, advertisement: Advertisement) -> Recognised | None:
        """Whether an advertisement comes from such a wearable."""
        special = self.recogniser(advertisement)
        if special is not None:
            return special
        if set(self.services) & set(advertisement.service_uuids):
            return self._recognised(_BY_SERVICE)
        name = advertisement.local_name or ""
        return self._recognised(_BY_NAME) if self.names and name.startswith(self.names) else None

    def _recognised(self, score: int) -> Recognised:
        has_gyr = bool(self.capabilities.gyr_ranges_dps)
        return Recognised(score, self.title, "" if has_gyr else NO_GYROSCOPE, has_gyr)

    def open(self, gatt: Gatt, wanted: Wanted) -> Session:
        """A session with the wearable that shows these characteristics.

        Raises
        ------
        WearableRefused
            Where a characteristic is missing, or the wearable can't do what is wanted.
        """
        missing = [char.uuid for char in self.needs if char not in gatt]
        if missing:
            raise WearableRefused(
                f"{self.title} lacks the characteristic {', '.join(missing)}: "
                "it may need newer firmware, or be another product"
            )
        return self.opener(gatt, wanted)

    def virtual(self, variant: str = "") -> Virtual:
        """A wearable of this kind that exists only as a program.

        Raises
        ------
        WearableRefused
            Where there is no such variant.
        """
        if variant and variant not in self.variants:
            raise WearableRefused(
                f"{self.title} can't be imitated as {variant!r}: use one of {', '.join(self.variants)}"
            )
        return self.imitator(variant or self.variants[0])
