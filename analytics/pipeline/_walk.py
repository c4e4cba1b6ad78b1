"""A bout of walking as it is published: what the gait analysis and the compensation assessment say of it."""

from __future__ import annotations

from analytics.compensation import Assessment
from analytics.gait import Bout, Contacts
from analytics.pipeline._grid import ROW_NS
from analytics.pipeline._state import VERSION
from sagittal.names import Side
from sagittal.results import InitialContact, Turn, Walk

_AXES = ("v", "ap", "ml")
QUALITY = (
    *(f"{kind}_{axis}" for kind in ("step_regularity", "stride_regularity", "step_symmetry") for axis in _AXES),
    *(f"harmonic_ratio_{axis}" for axis in _AXES),
    *(f"improved_harmonic_ratio_{axis}_percent" for axis in _AXES),
    *(f"rms_ratio_{axis}" for axis in _AXES),
)
"""Metrics that mean something in steady walking alone: in every bout, or absent with the reason."""
_TOLD_ELSEWHERE = ("cadence_spm", "stride_duration_s", "stride_duration_cv_percent", "strides")
"""Fields of the bout, where the gait analysis says them once."""


def walk_of(segment_ns: int, bout: Bout, judged: Assessment, before: Walk | None = None) -> Walk:
    """The published form of a bout; where both know a metric, the gait analysis is believed.

    `before` is the walk as it was last told: the contacts of the same walk stand, so only new ones are made.
    """

    def at(row: float) -> int:
        return segment_ns + round(row * ROW_NS)

    def contacts(found: Contacts, known: list[InitialContact]) -> list[InitialContact]:
        n = len(known)
        fresh = zip(found.row[n:], found.right[n:], found.confidence[n:], strict=True)
        return known[: len(found)] + [
            InitialContact(t_ns=at(row), side=Side.RIGHT if right else Side.LEFT, confidence=sure)
            for row, right, sure in fresh
        ]

    metrics, reasons = _metrics(bout, judged)
    start_ns = at(bout.start_row)
    return Walk(
        start_ns=start_ns,
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
        metrics=metrics,
        not_assessable=reasons,
        initial_contacts=contacts(
            bout.contacts, before.initial_contacts if before is not None and before.start_ns == start_ns else []
        ),
        closing_contacts=contacts(bout.closing_contacts, []),
        turns=[Turn(start_ns=at(one.start_row), end_ns=at(one.end_row), angle_deg=one.angle_deg) for one in bout.turns],
        compensations=list(judged.patterns),
        compensation_score=judged.score,
        compensation_reason=judged.reason if judged.score is None else None,
        confidence=bout.confidence,
        version=VERSION,
    )


def _metrics(bout: Bout, judged: Assessment) -> tuple[dict[str, float | None], dict[str, str]]:
    """Every metric, null where it can't be trusted, and the reason for every null and every pattern's group."""
    unsteady = bout.steady_reason or judged.reason or "too few straight, steady strides"
    found: dict[str, float | None] = {**judged.metrics, **dict.fromkeys(QUALITY)}
    if bout.steady:
        found.update({name: judged.metrics[name] for name in QUALITY if name in judged.metrics})
    found.update({name: value for name, value in bout.metrics.items() if value is not None or name not in found})
    metrics = {name: value for name, value in found.items() if name not in _TOLD_ELSEWHERE}
    reasons = {**dict.fromkeys(QUALITY, unsteady), **judged.not_assessable, **bout.not_assessable}
    here = (bout.stride_duration_cv_percent, bout.stride_length_m, bout.walking_speed_mps)
    told = dict(zip(("stride_duration_cv_percent", "stride_length_m", "walking_speed_mps"), here, strict=True))
    known = {name for name, value in {**metrics, **told}.items() if value is not None}
    return metrics, {name: reason for name, reason in reasons.items() if name not in known}
