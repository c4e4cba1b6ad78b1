"""IEEE 1752.1 data points: walking bouts as physical activity 1.0, diary marks and days under our own name space.

The standard (IEEE 1752.1-2021) has no schema for gait quality or tilt, so those go out under the name space `sagittal`;
durations are in sec, min or h only, and every time has its offset.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sagittal.results import Day, Event, Walk
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S

_NAMESPACE = uuid.UUID("0b3f9a1e-8a35-5c0d-9d8e-7b1a52f0c6d4")


def data_points(
    wearer: Wearer, walks: Iterable[Walk], days: Iterable[Day], events: Iterable[Event], made_ns: int
) -> Iterator[dict[str, Any]]:
    """Data points, oldest first within each kind; the same data give the same uuids."""
    for walk in walks:
        if walk.final:
            yield _point(
                wearer, "physical-activity", "ieee", str(walk.start_ns), made_ns, walk.version, _walk(wearer, walk)
            )
    for day in days:
        yield _point(wearer, "posture-day", "sagittal", day.date, made_ns, day.version, _day(wearer, day))
    for event in events:
        if event.event == "diary":
            body = {
                "effective_time_frame": {"date_time": _time(wearer, event.t_ns)},
                "marks": {name: value for name, value in event.values.items() if value is not None},
                "tags": event.tags,
                "note": event.text,
            }
            key = f"{event.t_ns}/{event.key}"
            yield _point(wearer, "pain-diary", "sagittal", key, made_ns, event.version, body, modality="self-reported")


def _walk(wearer: Wearer, walk: Walk) -> dict[str, Any]:
    body: dict[str, Any] = {
        "activity_name": "walking",
        "effective_time_frame": _interval(wearer, walk.start_ns, walk.end_ns),
        "base_movement_quantity": {"unit": "steps", "value": walk.n_steps},
        "duration": {"unit": "sec", "value": round((walk.end_ns - walk.start_ns) / NS_PER_S, 1)},
    }
    if walk.cadence_spm is not None:
        body["average_cadence"] = {"unit": "steps/min", "value": round(walk.cadence_spm, 1)}
    if walk.walking_speed_mps is not None:
        body["average_speed"] = {"unit": "m/s", "value": round(walk.walking_speed_mps, 3)}
    return body


def _day(wearer: Wearer, day: Day) -> dict[str, Any]:
    return {
        "effective_time_frame": _interval(wearer, day.t_ns, day.end_ns),
        "worn": {"unit": "min", "value": round(day.exposure.worn_s / 60, 1)},
        "postures": {name: {"unit": "min", "value": round(s / 60, 1)} for name, s in day.exposure.posture_s.items()},
        "bends": day.exposure.bends,
        "steps": day.exposure.steps,
        "metrics": {name: value for name, value in day.metrics.items() if value is not None},
        "not_assessable": day.not_assessable,
    }


def _point(
    wearer: Wearer,
    name: str,
    namespace: str,
    key: str,
    made_ns: int,
    version: str,
    body: dict[str, Any],
    modality: str = "sensed",
) -> dict[str, Any]:
    return {
        "header": {
            "uuid": str(uuid.uuid5(_NAMESPACE, f"{wearer.id}/{name}/{key}")),
            "schema_id": {"namespace": namespace, "name": name, "version": "1.0"},
            "source_creation_date_time": _time(wearer, made_ns),
            "modality": modality,
            "external_datasheets": [{"datasheet_type": "software", "datasheet_reference": f"sagittal {version}"}],
        },
        "body": body,
    }


def _interval(wearer: Wearer, start_ns: int, end_ns: int) -> dict[str, Any]:
    return {"time_interval": {"start_date_time": _time(wearer, start_ns), "end_date_time": _time(wearer, end_ns)}}


def _time(wearer: Wearer, t_ns: int) -> str:
    instant = datetime.fromtimestamp(t_ns // NS_PER_S, UTC).astimezone(wearer.zone)
    return instant.replace(microsecond=t_ns % NS_PER_S // 1000).isoformat(timespec="milliseconds")
