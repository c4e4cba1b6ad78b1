"""A bout of walking as it is published: what the gait analysis and the compensation assessment say of it."""

from __future__ import annotations

from analytics.compensation import Assessment
from analytics.gait import Bout
from analytics.pipeline._grid import ROW_NS
from analytics.pipeline._state import VERSION
from sagittal.names import Side
from sagittal.results import InitialContact, Turn, Walk


def walk_of(segment_ns: int, bout: Bout, judged: Assessment) -> Walk:
    """The published form of a bout; where both know a metric, the gait analysis is believed."""

    def at(row: float) -> int:
        return segment_ns + round(row * ROW_NS)

    metrics = {**judged.metrics, **{name: value for name, value in bout.metrics.items() if value is not None}}
    reasons = {**judged.not_assessable, **bout.not_assessable}
    missing = {name: None for name in bout.metrics if name not in metrics}
    return Walk(
        start_ns=at(bout.start_row),
        end_ns=at(bout.end_row),
        final=bout.final,
        n_steps=bout.n_steps,
        n_strides=bout.n_strides,
        steady=bout.steady,
        steady_reason=bout.steady_reason,
        cadence_spm=bout.cadence_spm,
        stride_duration_s=bout.stride_duration_s,
        stride_duration_cv_percent=bout.stride_duration_cv_percent,
        stride_length_m=bout.stride_length_m,
        walking_speed_mps=bout.walking_speed_mps,
        metrics={**metrics, **missing},
        not_assessable={name: reason for name, reason in reasons.items() if metrics.get(name) is None},
        initial_contacts=[
            InitialContact(
                t_ns=at(one.row), side=None if one.side is None else Side(one.side), confidence=one.confidence
            )
            for one in bout.contacts
        ],
        turns=[Turn(start_ns=at(one.start_row), end_ns=at(one.end_row), angle_deg=one.angle_deg) for one in bout.turns],
        compensations=list(judged.patterns),
        compensation_score=judged.score,
        compensation_reason=judged.reason if judged.score is None else None,
        confidence=bout.confidence,
        version=VERSION,
    )
