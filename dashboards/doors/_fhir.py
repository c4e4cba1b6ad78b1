"""FHIR R4 JSON: a collection of Observations of a wearer's days.

Codes: LOINC where one exists (steps in 24 h 41950-7, 24 h mean walking speed 41957-2, pain 72514-3), UCUM units, and an
own CodeSystem, shipped with the bundle, where none exists; a near miss is never used. Health data leave as a
`collection`, for information; "exports FHIR R4 JSON" is all that is claimed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sagittal import __version__
from sagittal.results import NOTICE, Day, Event
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S

CODE_SYSTEM = "urn:sagittal:codes"
PSEUDONYM = "urn:sagittal:pseudonym"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_NAMESPACE = uuid.UUID("6f1f8a52-62b5-5d7e-9d3e-2f4d8f3c7a10")

UCUM_CODES = frozenset({"deg", "m/s", "m", "cm", "/min", "{steps}/d", "min", "s", "%", "1", "{score}", "h"})
"""The units that leave here; a bundle with any other is refused by `lint_bundle`."""

_OWN = {
    "worn-minutes": ("Worn time", "Minutes of a local day in which the sensor was worn."),
    "posture-minutes": ("Time in posture", "Minutes of a local day in which the posture was the component's code."),
    "bends": ("Trunk bends", "Trunk inclinations beyond 20 degrees, counted over a local day."),
    "slouched-minutes": ("Slouched time", "Minutes beyond the wearer's own threshold of forward inclination."),
    "cadence": ("Cadence", "Steps a minute, aggregated over the walking bouts of a local day."),
    "stride-length": ("Stride length", "Stride length, aggregated over the walking bouts of a local day."),
    "compensation-score": ("Compensation score", "How far walking lies from the reference, 0 to 1; names no cause."),
}
_DAY_METRICS = (
    ("walking_speed_mps", (LOINC, "41957-2", "Walking speed 24 hour mean Calculated"), "m/s"),
    ("cadence_spm", (CODE_SYSTEM, "cadence", "Cadence"), "/min"),
    ("stride_length_m", (CODE_SYSTEM, "stride-length", "Stride length"), "m"),
)
_STEPS = (LOINC, "41950-7", "Number of steps in 24 hour Measured")
_PAIN = {"pain_back": "Back", "pain_knee_left": "Left knee", "pain_knee_right": "Right knee"}


def fhir_bundle(wearer: Wearer, days: Sequence[Day], events: Iterable[Event], made_ns: int) -> dict[str, Any]:
    """A Bundle of type collection: a Patient by pseudonym, a Device, our CodeSystem, and Observations.

    Ids follow from wearer, day and code, so the same data give the same bundle.
    """
    patient = _url("Patient", wearer.id)
    device = _url("Device", wearer.id)
    entries = [
        _entry(patient, {"resourceType": "Patient", "identifier": [{"system": PSEUDONYM, "value": wearer.id}]}),
        _entry(device, _device(patient)),
        _entry(_url("CodeSystem", "sagittal"), _code_system()),
    ]
    about = {"subject": {"reference": patient}, "device": {"reference": device}, "note": [{"text": NOTICE}]}
    for day in days:
        entries += [_entry(url, resource | about) for url, resource in _of_day(wearer, day)]
    for event in events:
        entries += [_entry(url, resource | {"subject": about["subject"]}) for url, resource in _pain(wearer, event)]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": _instant(wearer, made_ns),
        "entry": entries,
    }


def lint_bundle(bundle: dict[str, Any]) -> list[str]:
    """What a bundle breaks of the rules that common validators let pass; empty when all is well.

    Held: collection type, unique fullUrls (bdl-7), no requests (bdl-3), every reference resolves and to the right type,
    status final, not value and dataAbsentReason together (obs-6), referenceRange with text (obs-3), components with a
    value or a reason, UCUM codes of the list, start before end, no interpretation.
    """
    problems = []
    entries = bundle.get("entry", [])
    urls = [entry["fullUrl"] for entry in entries]
    kinds = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in entries}
    if bundle.get("type") != "collection":
        problems.append("the bundle is no collection")
    if len(set(urls)) != len(urls):
        problems.append("bdl-7: a fullUrl stands twice")
    if any("request" in entry for entry in entries):
        problems.append("bdl-3: a collection holds a request")
    for entry in entries:
        resource = entry["resource"]
        if resource["resourceType"] == "Observation":
            problems += [f"{entry['fullUrl']}: {problem}" for problem in _lint_observation(resource, kinds)]
    return problems


def _lint_observation(resource: dict[str, Any], kinds: dict[str, str]) -> Iterator[str]:
    if resource.get("status") != "final":
        yield "status is not final"
    if kinds.get(resource["subject"]["reference"]) != "Patient":
        yield "the subject is no Patient of this bundle"
    if "device" in resource and kinds.get(resource["device"]["reference"]) != "Device":
        yield "the device is no Device of this bundle"
    if "interpretation" in resource:
        yield "an interpretation reads as a verdict"
    period = resource.get("effectivePeriod")
    if period and datetime.fromisoformat(period["start"]) >= datetime.fromisoformat(period["end"]):
        yield "the period ends before it starts"
    for part in (resource, *resource.get("component", [])):
        values = [name for name in part if name.startswith("value")]
        if len(values) > 1 or (values and "dataAbsentReason" in part):
            yield "obs-6: a value and a reason for its absence"
        if part is not resource and not values and "dataAbsentReason" not in part:
            yield "a component without value or reason"
        if "valueQuantity" in part and part["valueQuantity"].get("code") not in UCUM_CODES:
            yield f"unit {part['valueQuantity'].get('code')!r} is none of the list"
        if any(not one.get("text") for one in part.get("referenceRange", [])):
            yield "obs-3: a reference range without text"


def _of_day(wearer: Wearer, day: Day) -> Iterator[tuple[str, dict[str, Any]]]:
    period = {"start": _instant(wearer, day.t_ns), "end": _instant(wearer, day.end_ns)}
    common = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": _CATEGORY, "code": "activity"}]}],
        "effectivePeriod": period,
        "method": {"text": f"Sagittal {__version__}, {day.version}"},
    }

    def one(code: tuple[str, str, str], body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return _url("Observation", wearer.id, day.date, code[1]), {**common, "code": _concept(code), **body}

    sums = day.exposure
    yield one(_own("worn-minutes"), {"valueQuantity": _quantity(sums.worn_s / 60, "min", 1)})
    yield one(
        (LOINC, "41950-7", "Number of steps in 24 hour Measured"),
        {"valueQuantity": _quantity(sums.steps, "{steps}/d", 0)},
    )
    yield one(_own("bends"), {"valueQuantity": _quantity(sums.bends, "1", 0)})
    yield one(_own("slouched-minutes"), {"valueQuantity": _quantity(sums.slouched_s / 60, "min", 1)})
    postures = [
        {"code": {"text": label.replace("_", " ")}, "valueQuantity": _quantity(seconds / 60, "min", 1)}
        for label, seconds in sorted(sums.posture_s.items())
    ]
    if postures:
        yield one(_own("posture-minutes"), {"component": postures})
    for name, code, unit in _DAY_METRICS:
        if name in day.metrics or name in day.not_assessable:
            yield one(
                code, _value(day.metrics.get(name), unit, 2, day.not_assessable.get(name)) | _baseline(day, name, unit)
            )
    score = _value(day.compensation_score, "{score}", 2, day.compensation_reason)
    yield one(_own("compensation-score"), score)


def _pain(wearer: Wearer, event: Event) -> Iterator[tuple[str, dict[str, Any]]]:
    if event.event != "diary":
        return
    for name, place in _PAIN.items():
        mark = event.values.get(name)
        if mark is None:
            continue
        yield (
            _url("Observation", wearer.id, str(event.t_ns), event.key, name),
            {
                "resourceType": "Observation",
                "status": "final",
                "category": [{"coding": [{"system": _CATEGORY, "code": "survey"}]}],
                "code": _concept((LOINC, "72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported")),
                "effectiveDateTime": _instant(wearer, event.t_ns),
                "bodySite": {"text": place},
                "valueQuantity": _quantity(mark, "{score}", 0),
            },
        )


def _baseline(day: Day, name: str, unit: str) -> dict[str, Any]:
    change = next((change for change in day.changes if change.metric == name and change.baseline is not None), None)
    if change is None or change.baseline is None:
        return {}
    spread = change.spread or 0.0
    own = {"text": f"own usual over {change.days} days"}
    band = {"low": _quantity(change.baseline - spread, unit, 3), "high": _quantity(change.baseline + spread, unit, 3)}
    return {"referenceRange": [{**band, **own}]}


def _value(value: float | None, unit: str, digits: int, reason: str | None) -> dict[str, Any]:
    if value is not None:
        return {"valueQuantity": _quantity(value, unit, digits)}
    coding = [{"system": _ABSENT, "code": "unknown" if reason is None else "not-performed"}]
    return {"dataAbsentReason": {"coding": coding, "text": (reason or "not assessed").replace("_", " ")}}


def _quantity(value: float, code: str, digits: int) -> dict[str, Any]:
    number: float = int(value) if digits == 0 else round(value, digits)
    return {"value": number, "unit": code.strip("{}"), "system": UCUM, "code": code}


def _device(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "deviceName": [{"name": "Motion sensor on the lower back", "type": "user-friendly-name"}],
        "version": [{"value": f"Sagittal {__version__}"}],
        "patient": {"reference": patient},
    }


def _code_system() -> dict[str, Any]:
    return {
        "resourceType": "CodeSystem",
        "url": CODE_SYSTEM,
        "version": "1",
        "status": "active",
        "content": "complete",
        "caseSensitive": True,
        "concept": [
            {"code": code, "display": display, "definition": definition} for code, (display, definition) in _OWN.items()
        ],
    }


def _own(code: str) -> tuple[str, str, str]:
    return CODE_SYSTEM, code, _OWN[code][0]


def _concept(code: tuple[str, str, str]) -> dict[str, Any]:
    system, value, display = code
    return {"coding": [{"system": system, "code": value, "display": display}], "text": display}


def _entry(url: str, resource: dict[str, Any]) -> dict[str, Any]:
    return {"fullUrl": url, "resource": resource}


def _url(*parts: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, '/'.join(parts))}"


def _instant(wearer: Wearer, t_ns: int) -> str:
    return datetime.fromtimestamp(t_ns // NS_PER_S, UTC).astimezone(wearer.zone).isoformat(timespec="seconds")
