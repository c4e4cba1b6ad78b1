"""What a wearable is, without any radio: how it is recognised, set up, read, and imitated.

Nothing here does input or output. A `Script` yields what is to be done on the link, one `Action` at a time, and is sent
each answer; everything that comes from the wearable (notifications, indications, answers, reads) also goes through
`Session.feed`. The connection supervisor performs the scripts over Bluetooth; tests perform them against a `Virtual`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from sagittal.blocks import AXES
from sagittal.errors import SagittalError

__all__ = [
    "Action",
    "Advertisement",
    "Ask",
    "Battery",
    "Capabilities",
    "Char",
    "Clock",
    "Counter",
    "Event",
    "Evidence",
    "Gatt",
    "Note",
    "Notification",
    "Packet",
    "Read",
    "Recognised",
    "Script",
    "Session",
    "Skipped",
    "Sleep",
    "Stopped",
    "Subscribe",
    "TimeReply",
    "Virtual",
    "Wanted",
    "Wearable",
    "WearableRefused",
    "Write",
    "sig",
]

Vector = tuple[float, float, float]


class WearableRefused(SagittalError):
    """A wearable that can't be used so: it lacks something, or refuses a command."""


def sig(short: int) -> str:
    """A 16-bit UUID of the Bluetooth SIG as 128 bits (Core Specification 5.4, 3B 2.5.1)."""
    return f"{short:08x}-0000-1000-8000-00805f9b34fb"


@dataclass(frozen=True, slots=True)
class Char:
    """A GATT characteristic: the UUIDs of its service and its own, 128 bits, in lower case."""

    service: str
    uuid: str


Gatt = Mapping[Char, frozenset[str]]
"""The characteristics that a wearable shows, with their properties: `read`, `write`, `write-without-response`,
`notify`, `indicate`."""


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What a wearable sends before anyone connects; UUIDs with 128 bits in lower case."""

    local_name: str | None = None
    service_uuids: Sequence[str] = ()
    manufacturer_data: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recognised:
    """That an advertisement is a wearable's: the more telling, the higher `score`; `remark` is for the person."""

    score: int
    title: str
    remark: str = ""
    has_gyr: bool = True


@dataclass(frozen=True, slots=True)
class Clock:
    """A device clock as it comes: ns a tick, and the bits after which it wraps."""

    tick_ns: int
    bits: int


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that rises with every sample or packet, and the bits after which it wraps."""

    bits: int
    counts: Literal["samples", "packets"]


class Evidence(StrEnum):
    """What a decoder was held against."""

    CAPTURES = "tested on captures"
    VENDOR = "tested on the vendor's own examples"
    SPECIFICATION = "from the specification"
    OWN = "own profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a wearable can do; without gyroscope `gyr_ranges_dps` is empty, without a clock `clock` is None.

    Where it depends on the model or on what the wearable answers, this is the most that the module can serve.
    """

    rates_hz: tuple[float, ...]
    acc_ranges_g: tuple[float, ...]
    gyr_ranges_dps: tuple[float, ...]
    battery: bool
    clock: Clock | None = None
    counter: Counter | None = None
    samples_per_packet: int = 1
    haptic: bool = False
    two_way_time: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a wearable; it is given the next higher rate and range that it has."""

    rate_hz: float = 100.0
    acc_range_g: float = 8.0
    gyr_range_dps: float = 1000.0
    accelerometer_only: bool = False


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Switch on the notifications (or indications) of a characteristic."""

    char: Char


@dataclass(frozen=True, slots=True)
class Read:
    """Read a characteristic; the value is the answer."""

    char: Char


@dataclass(frozen=True, slots=True)
class Write:
    """Write to a characteristic, with or without response."""

    char: Char
    data: bytes
    response: bool = True


@dataclass(frozen=True, slots=True)
class Ask:
    """Write, then wait for the first notification on `reply` that `match` accepts; it is the answer.

    Whoever performs it listens before writing, and throws TimeoutError into the script after `timeout_s`.
    """

    char: Char
    data: bytes
    reply: Char
    match: Callable[[bytes], bool]
    response: bool = True
    timeout_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Sleep:
    """Do nothing for a while."""

    seconds: float


Action = Subscribe | Read | Write | Ask | Sleep
Script = Generator[Action, bytes | None, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """Consecutive samples that arrived together.

    Attributes
    ----------
    acc, gyr
        n × 3 little-endian int16 in the sensor's own frame, row by row; times their scale they are m/s² and rad/s.
        `gyr` is None where there is none.
    clock, ticks, anchor
        The device clock, its reading, and the index of the sample to which the reading belongs; all None without one.
    counter, count
        The counter and its reading: number of the first sample, or of the packet.
    """

    acc: bytes
    acc_scale: float
    gyr: bytes | None = None
    gyr_scale: float | None = None
    clock: Clock | None = None
    ticks: int | None = None
    anchor: int = 0
    counter: Counter | None = None
    count: int | None = None

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.acc) // (2 * AXES)


@dataclass(frozen=True, slots=True)
class Battery:
    """The battery's charge."""

    percent: float


@dataclass(frozen=True, slots=True)
class Note:
    """Something the person should know; told once a connection."""

    text: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Bytes that were no sample: damaged, cut off, or not a number."""

    length: int
    why: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The wearable ended the stream of its own accord: it must be set up again."""

    why: str


@dataclass(frozen=True, slots=True)
class TimeReply:
    """Answer to `Session.ask_time`: readings of the device clock when the question came and when this was sent."""

    token: int
    received_ticks: int
    sent_ticks: int
    clock: Clock


Event = Packet | Battery | Note | Skipped | Stopped | TimeReply


class Session:
    """One connection to a wearable; a fresh one is made for every connection.

    Attributes
    ----------
    rate_hz
        The nominal rate; final once `start` has run. The true rate is to be measured.
    has_gyr
        Whether packets carry angular rates.
    """

    rate_hz: float = 0.0
    has_gyr: bool = True

    def start(self) -> Script:
        """Everything from the connection to the stream.

        Raises
        ------
        WearableRefused
            Where the wearable refuses: says what, and what to do.
        """
        yield from ()

    def stop(self) -> Script:
        """End the stream, so that the wearable may sleep."""
        yield from ()

    def poll(self) -> Script:
        """What is asked about once a minute, such as the battery."""
        yield from ()

    def haptic(self, on_ms: int) -> Script:  # noqa: ARG002  # most wearables have none
        """Vibrate or light up; nothing where the wearable can't."""
        yield from ()

    def ask_time(self, token: int) -> Script:  # noqa: ARG002  # likewise
        """Ask for the device's time, to be answered by a `TimeReply` with the same token (u32)."""
        yield from ()

    def feed(self, char: Char, data: bytes) -> list[Event]:
        """Whatever came from a characteristic, in order; never raises, whatever the bytes."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Notification:
    """Bytes that a wearable sends."""

    char: Char
    data: bytes


class Virtual(Protocol):
    """A wearable's own side of the link: it answers commands and encodes samples as the real one does."""

    advertisement: Advertisement
    gatt: Gatt

    @property
    def rate_hz(self) -> float:
        """The rate it is set to; it wants one `sample` each 1/rate, whether or not it is streaming."""
        ...

    def read(self, char: Char) -> bytes:
        """The value of a characteristic."""
        ...

    def write(self, char: Char, data: bytes, t_ns: int) -> list[Notification]:
        """Take a command at device time `t_ns`; what it answers."""
        ...

    def subscribe(self, char: Char, on: bool) -> None:
        """Notifications of a characteristic are wanted, or no longer."""
        ...

    def sample(self, t_ns: int, acc: Vector, gyr: Vector) -> list[Notification]:
        """Measure at device time `t_ns` (m/s², rad/s); what is to be sent now, nothing unless streaming."""
        ...


class Wearable(Protocol):
    """A kind of wearable; one module each in `sensor_bridge/wearables`."""

    @property
    def driver(self) -> str:
        """Its name in the settings."""
        ...

    @property
    def title(self) -> str:
        """Its name for people."""
        ...

    @property
    def evidence(self) -> Evidence:
        """What its decoder was held against."""
        ...

    @property
    def evidence_note(self) -> str:
        """What of it that holds for, where not for all."""
        ...

    @property
    def services(self) -> tuple[str, ...]:
        """Services by which it may be searched where there is neither name nor address."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    @property
    def sample_config(self) -> str:
        """Settings for one device, as TOML: one `[[wearers.devices]]`."""
        ...

    @property
    def variants(self) -> tuple[str, ...]:
        """Models that can be imitated, the default first."""
        ...

    def recognise(self, advertisement: Advertisement) -> Recognised | None:
        """Whether an advertisement comes from such a wearable."""
        ...

    def open(self, gatt: Gatt, wanted: Wanted) -> Session:
        """A session with the wearable that shows these characteristics.

        Raises
        ------
        WearableRefused
            Where a characteristic is missing, or the wearable can't do what is wanted.
        """
        ...

    def virtual(self, variant: str = "") -> Virtual:
        """A wearable of this kind that exists only as a program; without a variant, the default one.

        Raises
        ------
        WearableRefused
            Where there is no such variant.
        """
        ...
