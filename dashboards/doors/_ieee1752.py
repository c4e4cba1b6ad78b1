"""IEEE 1752.1 data points: walks as physical activity 1.0, diary entries as survey 1.0, days under our own name space.

The standard (IEEE 1752.1-2021) has no schema for gait quality or tilt, so those go out under the name space `sagittal`;
durations are in sec, min or h only, and every time has its offset.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sagittal.results import Day, Event, Walk
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S

UNITS = frozenset({"steps", "steps/min", "m/s", "m", "sec", "min", "h"})
"""The units that leave here; durations are in the standard's own `sec`, `min` and `h`."""
_QUESTIONS = {
    "pain_back": "How much does your back hurt now, from 0 (not at all) to 10 (the worst imaginable)?",
    "pain_knee_left": "How much does your left knee hurt now, from 0 (not at all) to 10 (the worst imaginable)?",
    "pain_knee_right": "How much does your right knee hurt now, from 0 (not at all) to 10 (the worst imaginable)?",
}
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
            items = _items(wearer, event)
            if items:
                at = _time(wearer, event.t_ns)
                body = {"items": items, "delivery_details": {"end_date_time": at, "end_status": "completed"}}
                key = f"{event.t_ns}/{event.key}"
                yield _point(wearer, "survey", "ieee", key, made_ns, event.version, body, modality="self-reported")


def lint_points(points: Iterable[dict[str, Any]]) -> list[str]:
    """What data points break of the standard's schemas and of what those, being open, let pass; empty when all is well.

    Held: a uuid once, name and version of the schema, modality, every time with its offset and intervals that end after
    they start, units of the list, no number that is not finite, and for surveys at least one question with its answer.
    """
    problems: list[str] = []
    seen: set[str] = set()
    for point in points:
        header, body = point.get("header", {}), point.get("body", {})
        name = str(header.get("uuid"))
        found = [*_lint_header(header, seen), *_lint_values(body, "body")]
        if header.get("schema_id", {}).get("name") == "survey":
            found += _lint_survey(body)
        elif "time_interval" not in body.get("effective_time_frame", {}):
            found.append("no time interval")
        problems += [f"{name}: {problem}" for problem in found]
    return problems


def _lint_header(header: dict[str, Any], seen: set[str]) -> Iterator[str]:
    try:
        name = str(uuid.UUID(header["uuid"]))
    except (KeyError, ValueError):
        yield "no uuid"
    else:
        if name in seen:
            yield "a uuid stands twice"
        seen.add(name)
    schema = header.get("schema_id", {})
    if schema.get("namespace") not in ("ieee", "sagittal") or not schema.get("name") or schema.get("version") != "1.0":
        yield f"schema {schema} is none that is used here"
    if header.get("modality") not in ("sensed", "self-reported"):
        yield f"modality {header.get('modality')!r} is unknown"
    yield from _lint_values({"source_creation_date_time": header.get("source_creation_date_time")}, "header")


def _lint_survey(body: dict[str, Any]) -> Iterator[str]:
    items = body.get("items") or []
    if not items or not all(item.get("question", {}).get("text") and item.get("answers") for item in items):
        yield "a survey needs questions with answers"
    if not body.get("delivery_details"):
        yield "a survey needs its delivery details"


def _lint_values(value: Any, where: str) -> Iterator[str]:
    """Times, units and numbers, wherever they stand."""
    match value:
        case {"start_date_time": str(start), "end_date_time": str(end)}:
            yield from _lint_interval(start, end, where)
        case {"unit": unit, "value": number}:
            if unit not in UNITS:
                yield f"{where}: unit {unit!r} is none of the list"
            if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
                yield f"{where}: {number!r} is no number"
        case dict():
            for name, one in value.items():
                if name.endswith("date_time") and not (isinstance(one, str) and _aware(one)):
                    yield f"{where}: {name} is no time with its offset"
                yield from _lint_values(one, f"{where}.{name}")
        case list():
            for one in value:
                yield from _lint_values(one, where)
        case float() if not math.isfinite(value):
            yield f"{where}: {value!r} is no number"


def _lint_interval(start: str, end: str, where: str) -> Iterator[str]:
    if not _aware(start) or not _aware(end):
        yield f"{where}: a time without its offset"
    elif datetime.fromisoformat(start) >= datetime.fromisoformat(end):
        yield f"{where}: the interval ends before it starts"


def _aware(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _items(wearer: Wearer, event: Event) -> list[dict[str, Any]]:
    """The questions that an entry answers."""
    answers: list[tuple[str, str, list[float | str]]] = [
        (name, text, [round(value)])
        for name, text in _QUESTIONS.items()
        if (value := event.values.get(name)) is not None
    ]
    if event.tags:
        answers.append(("tags", "What was done or taken?", [*event.tags]))
    if event.text:
        answers.append(("note", "A note in own words", [event.text]))
    at = _time(wearer, event.t_ns)
    return [
        {
            "question": {"label": label, "text": text},
            "answers": [{"value": value} for value in values],
            "answered_date_time": at,
        }
        for label, text, values in answers
    ]


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
