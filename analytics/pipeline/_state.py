"""What the pipeline remembers of a wearer, and how it is saved: CBOR, exact to the last bit, no pickle."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import cbor2
import numpy as np
from pydantic import TypeAdapter

from analytics.gait import GaitState, new_state
from analytics.gait import from_dict as gait_from
from analytics.gait import to_dict as gait_to
from analytics.pipeline import _compensation, _extra, _usual
from analytics.pipeline._compensation import CompensationState
from analytics.pipeline._extra import Extra
from analytics.pipeline._grid import GridState, Hop
from analytics.pipeline._orientation import OrientationState
from analytics.pipeline._sums import Sum, Sums
from analytics.pipeline._usual import UsualState
from analytics.posture import PostureState, Statistics
from sagittal import __version__
from sagittal.blocks import GapReason
from sagittal.errors import SagittalError
from sagittal.names import Site
from sagittal.results import Event, GapMark, Posture, Walk
from sagittal.settings import Wearer

VERSION = f"{__version__}-3"
"""Stands in every result, and in a saved state: another version's is not read."""

_POSTURE = TypeAdapter(PostureState)
_STATISTICS = TypeAdapter(Statistics)
_POSTURES = TypeAdapter(list[Posture])
_WAITING = TypeAdapter(list[Event | GapMark | Walk])


@dataclass(frozen=True)
class State:
    """Everything between two blocks of one wearer.

    `held` are seconds of the leading site that wait for the others, `gaps` what was missing before them. `open_walk` is
    the walk that goes on as it was last told: it spares work, and is not saved.
    """

    profile: Wearer
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


def dump_state(state: State) -> bytes:
    """The state as bytes."""
    return cbor2.dumps(
        {
            "version": VERSION,
            "profile": state.profile.model_dump_json(),
            "gait": _plain(gait_to(state.gait)),
            **{
                one.name: _plain(getattr(state, one.name))
                for one in fields(State)
                if one.name not in ("profile", "gait", "open_walk")
            },
        }
    )


def load_state(data: bytes) -> State:
    """The state from its bytes, exactly.

    Raises
    ------
    SagittalError
        Where they are no state, or one of another version.
    """
    try:
        found = cbor2.loads(data)
        version = found.pop("version")
    except (cbor2.CBORError, ValueError, TypeError, KeyError, AttributeError):
        raise SagittalError("these bytes hold no state of the pipeline") from None
    if version != VERSION:
        raise SagittalError(f"a state of version {str(version)[:40]} is not one of {VERSION}")
    try:
        return _restored(found)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SagittalError(f"a state of version {VERSION} is damaged ({type(error).__name__})") from None


def _restored(found: dict[str, Any]) -> State:
    sums = found["sums"]
    return State(
        profile=Wearer.model_validate_json(found["profile"]),
        site=None if found["site"] is None else Site(found["site"]),
        end_ns=found["end_ns"],
        grid=GridState(**{name: _array(value) for name, value in found["grid"].items()}),
        orientation=OrientationState(**found["orientation"]),
        gait=gait_from(_array(found["gait"])),
        posture=_POSTURE.validate_python(_array(found["posture"])),
        sums=Sums(
            sums["minute_ns"],
            Sum(**sums["minute"]),
            sums["date"],
            Sum(**sums["day"]),
            tuple(tuple(row) for row in sums["rows"]),
        ),
        extra=_extra.restored(_array(found["extra"])),
        held=tuple(Hop(**_array(one)) for one in found["held"]),
        gaps=tuple(
            GapMark(**{**one, "site": Site(one["site"]), "reason": GapReason(one["reason"])}) for one in found["gaps"]
        ),
        compensation=_compensation.restored(_array(found["compensation"])),
        usual=_usual.restored(found["usual"]),
        settled=tuple(_POSTURES.validate_python(found["settled"])),
        settled_ns=found["settled_ns"],
        statistics=_STATISTICS.validate_python(found["statistics"]),
        waiting=tuple(_WAITING.validate_python(found["waiting"])),
        care=found["care"],
    )


def _plain(value: Any) -> Any:
    """Dataclasses as maps, arrays as {"nd": type, shape, bytes}, the rest as CBOR knows it."""
    if isinstance(value, np.ndarray):
        return {"nd": [value.dtype.str, list(value.shape), value.tobytes()]}
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {_plain(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    return value


def _array(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"nd"}:
            kind, shape, data = value["nd"]
            return np.frombuffer(data, np.dtype(kind)).reshape(shape).copy()
        return {key: _array(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_array(entry) for entry in value]
    return value
