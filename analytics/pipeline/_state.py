"""What the pipeline remembers of a wearer, and how it is saved: CBOR, exact to the last bit, no pickle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any

import cbor2
import numpy as np
from pydantic import TypeAdapter

from analytics.gait import GaitState, new_state
from analytics.gait import from_dict as gait_from
from analytics.gait import to_dict as gait_to
from analytics.nudges import Rules
from analytics.pipeline import _care, _compensation, _extra, _usual
from analytics.pipeline._compensation import CompensationState
from analytics.pipeline._extra import Extra
from analytics.pipeline._grid import GridState, Hop
from analytics.pipeline._orientation import OrientationState
from analytics.pipeline._sums import Sum, Sums
from analytics.pipeline._usual import UsualState
from analytics.posture import PostureState, Seconds, Statistics
from sagittal import __version__
from sagittal.blocks import GapReason
from sagittal.errors import SagittalError
from sagittal.names import Site
from sagittal.results import Event, GapMark, Posture, Walk
from sagittal.settings import Wearer

VERSION = f"{__version__}-3"
"""Stands in every result, and in a saved state: another version's is not read."""

_LONG = 512
"""Bytes from which on an array is a part of its own."""

_POSTURE = TypeAdapter(PostureState)
_SECONDS = TypeAdapter(Seconds)
_STATISTICS = TypeAdapter(Statistics)
_POSTURES = TypeAdapter(list[Posture])
_WAITING = TypeAdapter(list[Event | GapMark | Walk])


@dataclass(frozen=True)
class State:
    """Everything between two blocks of one wearer.

    `held` are seconds of the leading site that wait for the others, `gaps` what was missing before them. `rules` are
    what the wearer has chosen, `open_walk` is the walk that goes on as it was last told: both spare work, and are not
    saved.
    """

    profile: Wearer
    rules: Rules
    site: Site | None = None
    end_ns: int = -1
    grid: GridState = field(default_factory=GridState)
    orientation: OrientationState = field(default_factory=OrientationState)
    gait: GaitState = field(default_factory=new_state)
    posture: PostureState = field(default_factory=PostureState)
    sums: Sums = field(default_factory=Sums)
    extra: dict[Site, Extra] = field(default_factory=dict)
    held: tuple[Hop, ...] = ()
    gaps: tuple[GapMark, ...] = ()
    compensation: CompensationState = field(default_factory=CompensationState)
    usual: UsualState = field(default_factory=UsualState)
    settled: tuple[Posture, ...] = ()
    settled_ns: int = -1
    statistics: Statistics = field(default_factory=Statistics)
    waiting: tuple[Event | GapMark | Walk, ...] = ()
    care: dict[str, Any] = field(default_factory=dict)
    open_walk: Walk | None = None


_SAVED = tuple(one.name for one in fields(State) if one.name not in ("rules", "open_walk"))


def dump_state(state: State) -> tuple[bytes, ...]:
    """The state as parts, few of which change from one second to the next: what is saved again is only those.

    A head, and then every field followed by its long arrays.
    """
    counts: list[tuple[str, int]] = []
    parts: list[bytes] = []
    for name in _SAVED:
        long: list[bytes] = []
        value = getattr(state, name)
        match name:
            case "profile":
                value = value.model_dump_json()
            case "gait":
                value = gait_to(value)
            case "posture":
                seconds = _SECONDS.dump_python(value.seconds, exclude_defaults=True)
                value = {**_POSTURE.dump_python(value, exclude={"seconds"}), "seconds": seconds}
        parts += [cbor2.dumps(value, default=partial(_encode, long)), *long]
        counts.append((name, len(long)))
    return cbor2.dumps({"version": VERSION, "fields": counts}), *parts


def load_state(parts: Sequence[bytes]) -> State:
    """The state from its parts, exactly.

    Raises
    ------
    SagittalError
        Where they are no state, or one of another version.
    """
    try:
        head = cbor2.loads(parts[0])
        version, counts = head["version"], head["fields"]
    except (cbor2.CBORError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise SagittalError("these bytes hold no state of the pipeline") from None
    if version != VERSION:
        raise SagittalError(f"a state of version {str(version)[:40]} is not one of {VERSION}")
    try:
        found, at = {}, 1
        for name, count in counts:
            long = parts[at + 1 : at + 1 + count]
            if len(long) != count:
                raise ValueError("parts are missing")
            found[name] = _array(cbor2.loads(parts[at]), long)
            at += 1 + count
        return _restored(found)
    except (cbor2.CBORError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise SagittalError(f"a state of version {VERSION} is damaged ({type(error).__name__})") from None


def _restored(found: dict[str, Any]) -> State:
    sums, profile = found["sums"], Wearer.model_validate_json(found["profile"])
    return State(
        profile=profile,
        rules=_care.rules_of(found["care"], profile),
        site=None if found["site"] is None else Site(found["site"]),
        end_ns=found["end_ns"],
        grid=GridState(**found["grid"]),
        orientation=OrientationState(**found["orientation"]),
        gait=gait_from(found["gait"]),
        posture=_POSTURE.validate_python(found["posture"]),
        sums=Sums(
            sums["minute_ns"],
            Sum(**sums["minute"]),
            sums["date"],
            Sum(**sums["day"]),
            tuple(tuple(row) for row in sums["rows"]),
        ),
        extra=_extra.restored(found["extra"]),
        held=tuple(Hop(**one) for one in found["held"]),
        gaps=tuple(
            GapMark(**{**one, "site": Site(one["site"]), "reason": GapReason(one["reason"])}) for one in found["gaps"]
        ),
        compensation=_compensation.restored(found["compensation"]),
        usual=_usual.restored(found["usual"]),
        settled=tuple(_POSTURES.validate_python(found["settled"])),
        settled_ns=found["settled_ns"],
        statistics=_STATISTICS.validate_python(found["statistics"]),
        waiting=tuple(_WAITING.validate_python(found["waiting"])),
        care=found["care"],
    )


def _encode(long: list[bytes], encoder: cbor2.CBOREncoder, value: Any) -> None:
    """Dataclasses as maps; arrays as {"nd": [type, shape, bytes]}, of long ones the place among them."""
    if isinstance(value, np.ndarray):
        data: bytes | int = value.tobytes()
        if value.nbytes >= _LONG:
            long.append(value.tobytes())
            data = len(long) - 1
        encoder.encode({"nd": [value.dtype.str, list(value.shape), data]})
    elif isinstance(value, np.generic):
        encoder.encode(value.item())
    else:
        encoder.encode({name: getattr(value, name) for name in value.__dataclass_fields__})


def _array(value: Any, long: Sequence[bytes]) -> Any:
    if isinstance(value, dict):
        if set(value) == {"nd"}:
            kind, shape, data = value["nd"]
            data = long[data] if isinstance(data, int) else data
            return np.frombuffer(data, np.dtype(kind)).reshape(shape).copy()
        return {key: _array(entry, long) for key, entry in value.items()}
    if isinstance(value, list):
        return [_array(entry, long) for entry in value]
    return value
