"""*Walking*: bouts, cadence, speed, regularity, asymmetry with its uncertainty, and the pelvis."""

from __future__ import annotations

from typing import Any

from dashboards.grafana import _kit as kit
from dashboards.grafana.day import over_time
from sagittal.thresholds import threshold

_EDGE = threshold("reference.asymmetric_gait_departure")
_LOW, _HIGH = threshold("reference.step_regularity_low"), threshold("reference.step_regularity_high")
_ERROR = threshold("reference.step_regularity_error")
_CV = threshold("reference.stride_duration_cv_high_percent")
_ONE = "One point a walking bout."


def walk(what: str, alias: str = "", grouped: str = "") -> kit.InfluxQL:
    """Something of the wearer's walks."""
    return kit.query(kit.MINUTES, f'SELECT {what} FROM "walk" WHERE {kit.WEARER}{grouped}', alias)


def pattern(name: str, what: str, alias: str, extra: str = "") -> kit.InfluxQL:
    """Something of a pattern in the wearer's walks."""
    where = f"{kit.WEARER} AND \"pattern\" = '{name}'"
    return kit.query(kit.MINUTES, f'SELECT {what} FROM "walk_pattern" WHERE {where}{extra}', alias)


def build() -> Any:
    """The dashboard."""
    return (
        kit.dashboard("walking", "Walking", "Walking bouts of one wearer.", time="now-7d")
        .annotation(_change())
        .with_panel(kit.note(1, "Walking bouts after the rules of Mobilise-D; a bout appears when it is over."))
        .with_panel(kit.number(2, "Bouts", "Walking bouts in the range.", "none", walk('count("n_steps")'), decimals=0))
        .with_panel(kit.number(3, "Steps", "Steps in these bouts.", "none", walk('sum("n_steps")'), decimals=0))
        .with_panel(
            kit.number(4, "Cadence", "Median over bouts.", "steps/min", walk('median("cadence_spm")'), decimals=0)
        )
        .with_panel(
            kit.number(5, "Speed", "Median over bouts.", "velocityms", walk('median("walking_speed_mps")'), decimals=2)
        )
        .with_panel(
            kit.number(
                6, "Stride length", "Median over bouts.", "lengthm", walk('median("stride_length_m")'), decimals=2
            )
        )
        .with_panel(
            kit.number(
                7,
                "Stride time variability",
                "Median over bouts with enough straight strides.",
                "percent",
                walk('median("stride_duration_cv_percent")'),
                decimals=1,
                colours=kit.steps((None, kit.BLUE), (_CV, kit.ORANGE)),
            )
        )
        .with_panel(
            kit.lines(
                8,
                "Walking speed",
                _ONE,
                "velocityms",
                walk('"walking_speed_mps"', "Speed"),
                points=True,
                low=0,
                decimals=2,
            )
        )
        .with_panel(
            kit.lines(9, "Cadence", _ONE, "steps/min", walk('"cadence_spm"', "Cadence"), points=True, decimals=0)
        )
        .with_panel(
            kit.lines(
                10,
                "Steps over time",
                "Steps of each interval.",
                "none",
                over_time('sum("steps")', "Steps"),
                bars_=True,
                low=0,
                every="1h",
            )
        )
        .with_panel(
            kit.lines(
                11,
                "Stride length and stride time",
                _ONE,
                "none",
                walk('"stride_length_m"', "Stride length"),
                walk('"stride_duration_s"', "Stride time"),
                points=True,
                overrides=[("Stride length", kit.prop(unit="lengthm")), ("Stride time", kit.prop(unit="s"))],
                decimals=2,
            )
        )
        .with_panel(regularity(12))
        .with_panel(asymmetry(13))
        .with_panel(
            kit.lines(
                14,
                "Left against right",
                f"{_ONE} Positive where the left is larger; steady bouts only.",
                "percent",
                walk('"metrics.step_time_symmetry_index_percent"', "Step time"),
                walk('"metrics.vertical_displacement_asymmetry_percent"', "Rise of the pelvis"),
                walk('"metrics.impact_asymmetry_percent"', "Impact"),
                points=True,
                decimals=0,
            )
        )
        .with_panel(
            kit.lines(
                15,
                "Pelvis",
                f"{_ONE} Range of motion within a stride.",
                "degree",
                walk('"metrics.pelvic_obliquity_range_deg"', "Obliquity"),
                walk('"metrics.pelvic_rotation_range_deg"', "Rotation"),
                walk('"metrics.pelvic_tilt_range_deg"', "Tilt"),
                points=True,
                low=0,
                decimals=1,
            )
        )
        .with_panel(table(16))
    )


def regularity(id_: int) -> Any:
    """Step and stride regularity, with their error and the healthy range."""
    name = '"metrics.step_regularity_v"'
    return kit.lines(
        id_,
        "Regularity",
        f"{_ONE} Vertical step and stride regularity (Moe-Nilssen & Helbostad 2004). Between the dashed lines lie nine "
        f"tenths of healthy people; the small points beside a step's point are its error, ±{_ERROR}.",
        "none",
        walk(name, "Steps"),
        walk(f"{name} + {_ERROR}", "Steps, upper"),
        walk(f"{name} - {_ERROR}", "Steps, lower"),
        walk('"metrics.stride_regularity_v"', "Strides"),
        points=True,
        decimals=2,
        limits=kit.steps((None, "transparent"), (_LOW, kit.GREEN), (_HIGH, kit.GREEN)),
        overrides=[("Steps, upper", _faint()), ("Steps, lower", _faint())],
    )


def asymmetry(id_: int) -> Any:
    """How far the steps differ, with the uncertainty."""
    name, size, error = "asymmetric_gait", '"evidence.departure"', '"evidence.departure_error"'
    return kit.lines(
        id_,
        "Asymmetry",
        "How far left and right steps differ, in spreads between healthy people, with its standard error about it. "
        f"Beyond {_EDGE:g} by more than the error: pattern consistent with asymmetric gait. It names no cause.",
        "none",
        pattern(name, size, "Departure"),
        pattern(name, f"{size} + {error}", "Upper"),
        pattern(name, f"{size} - {error}", "Lower"),
        points=True,
        decimals=2,
        limits=kit.steps((None, "transparent"), (_EDGE, kit.ORANGE)),
        overrides=[("Upper", _faint()), ("Lower", _faint())],
    )


def _faint() -> dict[str, Any]:
    return kit.prop(color={"mode": "fixed", "fixedColor": kit.GREY}, custom__pointSize=3)


def table(id_: int) -> Any:
    """Every bout."""
    shown = {
        "n_steps": "Steps",
        "cadence_spm": "Cadence",
        "walking_speed_mps": "Speed",
        "stride_length_m": "Stride length",
        "steady": "Steady",
        "steady_reason": "Why not steady",
        "not_assessable.walking_speed_mps": "Why no speed",
        "confidence": "Confidence",
    }
    text = ", ".join(f'"{name}"' for name in shown)
    return kit.rows(
        id_,
        "Bouts",
        "Every bout, the latest first; what could not be assessed is empty, with the reason beside it.",
        "none",
        kit.query(kit.MINUTES, f'SELECT {text} FROM "walk" WHERE {kit.WEARER}', as_table=True),
        span=24,
        height=9,
        sort=("Time", True),
        transform=[("organize", {"renameByName": shown})],
        overrides=[
            ("Steps", kit.prop(unit="none", decimals=0)),
            ("Cadence", kit.prop(unit="steps/min", decimals=0)),
            ("Speed", kit.prop(unit="velocityms", decimals=2)),
            ("Stride length", kit.prop(unit="lengthm", decimals=2)),
            ("Steady", kit.prop(mappings=YES_NO)),
            ("Confidence", kit.prop(unit="percentunit", decimals=0)),
        ],
    )


YES_NO = [{"type": "value", "options": {"1": {"text": "yes", "index": 0}, "0": {"text": "no", "index": 1}}}]


def _change() -> Any:
    where = f'{kit.WEARER} AND "event" =~ /^(baseline_change|relief)$/'
    return kit.annotate(
        "Changes and relief",
        kit.PURPLE,
        kit.MINUTES,
        f'SELECT "event" AS "what", "end_ms" FROM "event" WHERE {where}',
        "what",
    )
