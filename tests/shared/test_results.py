"""Results as JSON: round trips, the published schema, no NaN."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from sagittal.errors import SagittalError
from sagittal.names import PostureLabel, Side
from sagittal.results import Day, Event, Exposure, InitialContact, Minute, Pattern, Posture, Result, Walk, result_key
from sagittal.schema import from_json, json_schema, to_json

T = 1_795_000_000_000_000_000
POSTURE = Posture(t_ns=T, posture=PostureLabel.SITTING, since_ns=T, confidence=0.8, flexion_deg=12.5, version="1")
WALK = Walk(
    start_ns=T,
    end_ns=T + 10**10,
    final=True,
    n_steps=18,
    n_strides=8,
    steady=False,
    steady_reason="bout not steady",
    cadence_spm=104.0,
    metrics={"step_regularity_vertical": None},
    not_assessable={"step_regularity_vertical": "bout not steady"},
    initial_contacts=[InitialContact(t_ns=T, side=Side.LEFT, confidence=0.9)],
    compensations=[Pattern(pattern="asymmetric_gait", assessable=False, reason="6 strides of 8 needed")],
    confidence=0.7,
    version="1",
)
EXAMPLES: list[Result] = [
    POSTURE,
    WALK,
    Event(t_ns=T, event="bend", duration_s=2.5, values={"peak_flexion_deg": 62.0}, version="1"),
    Minute(t_ns=T, exposure=Exposure(posture_s={"sitting": 60.0}), version="1"),
    Day(date="2026-11-24", time_zone="Europe/Berlin", t_ns=T, end_ns=T, final=False, exposure=Exposure(), version="1"),
]


@pytest.mark.parametrize("result", EXAMPLES, ids=lambda r: r.kind)
def test_json_brings_the_same_result_back_and_fits_the_published_schema(result: Result) -> None:
    data = to_json(result)
    assert from_json(data) == result
    published = json.loads((Path(__file__).parents[2] / "docs" / "results.schema.json").read_text())
    jsonschema.validate(json.loads(data), published, cls=jsonschema.Draft202012Validator)


def test_the_published_schema_is_in_step_with_the_code() -> None:
    published = json.loads((Path(__file__).parents[2] / "docs" / "results.schema.json").read_text())
    assert published == json.loads(json.dumps(json_schema()))


def test_nan_never_leaves() -> None:
    with pytest.raises(SagittalError, match="posture"):
        to_json(replace(POSTURE, flexion_deg=math.nan))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"kind":"posture"}', '{"kind":"horoscope"}'])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(SagittalError, match="no result"):
        from_json(text)


def test_a_later_version_of_a_bout_has_the_same_name() -> None:
    assert result_key(WALK) == result_key(replace(WALK, end_ns=T + 2 * 10**10, cadence_spm=None))
    assert result_key(WALK) != result_key(replace(WALK, start_ns=T + 1))
