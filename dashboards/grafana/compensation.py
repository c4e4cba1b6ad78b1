"""*Compensation and change*: patterns with their evidence, the wearer's own baseline, decline and relief, the diary."""

from __future__ import annotations

from typing import Any

from dashboards.grafana import _kit as kit
from dashboards.grafana.day import events
from dashboards.grafana.walking import YES_NO, walk
from sagittal.thresholds import threshold

_SCORE = threshold("reference.compensation_score")
_CONSISTENT = "Pattern consistent with; it names no disease, cause, muscle or joint."
_DECLINE = "\"pattern\" = 'decline_within_walk'"
_PAINS = {"values.pain_back": "Back", "values.pain_knee_left": "Left knee", "values.pain_knee_right": "Right knee"}


def of(measurement: str, what: str, alias: str = "", more: str = "", *, as_table: bool = False) -> kit.InfluxQL:
    """Something of the wearer's days."""
    where = f'FROM "{measurement}" WHERE {kit.WEARER}'
    return kit.query(kit.DAYS, f"SELECT {what} {where}{more}", alias, as_table=as_table)


def build() -> Any:
    """The dashboard."""
    return (
        kit.dashboard("compensation", "Compensation and change", "Patterns and changes of one wearer.", time="now-30d")
        .with_variable(kit.choice("pattern", "Pattern", "Whose evidence is shown.", kit.DAYS, "day_pattern"))
        .with_variable(kit.choice("metric", "Metric", "Whose course is shown.", kit.DAYS, "day_change"))
        .annotation(
            kit.annotate(
                "Relief",
                kit.GREEN,
                kit.MINUTES,
                f'SELECT "event" AS "what", "end_ms" FROM "event" WHERE {kit.WEARER} AND "event" = \'relief\'',
                "what",
            )
        )
        .with_panel(kit.note(1, f"Against healthy walking, and the wearer's own usual. {_CONSISTENT}"))
        .with_panel(
            kit.number(
                2,
                "Score",
                f"The latest bout's score; beyond {_SCORE:g} it lies outside the reference band. {_CONSISTENT}",
                "none",
                walk('last("compensation_score")'),
                decimals=2,
                colours=kit.steps((None, kit.BLUE), (_SCORE, kit.ORANGE)),
            )
        )
        .with_panel(
            kit.number(
                3,
                "Patterns flagged",
                "Patterns beyond their reference band by more than their uncertainty, on the latest day.",
                "none",
                _latest("day_pattern", "flagged", "pattern"),
                decimals=0,
                empty="0",
                colours=kit.steps((None, kit.BLUE), (1, kit.ORANGE)),
            )
        )
        .with_panel(
            kit.number(
                4,
                "Metrics changed",
                "Metrics that lie beyond the detectable change from the wearer's own baseline, on the latest day.",
                "none",
                _latest("day_change", "changed", "metric"),
                decimals=0,
                empty="0",
                colours=kit.steps((None, kit.BLUE), (1, kit.ORANGE)),
            )
        )
        .with_panel(
            kit.number(
                5,
                "Long walks that declined",
                "Latest day: walks of 3 min or more that grew slower, softer or less regular.",
                "none",
                of("day_pattern", 'last("evidence.declined_walks")', more=f" AND {_DECLINE}"),
                decimals=0,
            )
        )
        .with_panel(
            kit.number(
                6,
                "Eased by a rest",
                "Latest day: declines of which the next walk had half or more back.",
                "none",
                of("day_pattern", 'last("evidence.declines_eased_by_rest")', more=f" AND {_DECLINE}"),
                decimals=0,
            )
        )
        .with_panel(
            kit.number(
                7,
                "Back pain",
                "The latest diary entry, 0 to 10.",
                "none",
                _diary('last("values.pain_back")'),
                decimals=0,
            )
        )
        .with_panel(
            kit.lines(
                8,
                "Score of each bout",
                f"1 / (1 + exp(-2.5 (D - 0.65))), D in spreads between healthy people. {_CONSISTENT}",
                "none",
                walk('"compensation_score"', "Score"),
                points=True,
                low=0,
                high=1,
                decimals=2,
                limits=kit.steps((None, "transparent"), (_SCORE, kit.ORANGE)),
            )
        )
        .with_panel(
            kit.lines(
                9,
                "Pain diary",
                "What the wearer noted, 0 to 10.",
                "none",
                *[_diary(f'"{name}"', shown) for name, shown in _PAINS.items()],
                points=True,
                low=0,
                high=10,
                decimals=0,
            )
        )
        .with_panel(
            kit.lines(
                10,
                "Patterns by day",
                f"Score of each pattern over the day's walking. {_CONSISTENT}",
                "none",
                of("day_pattern", '"score"', "$tag_pattern", ' GROUP BY "pattern"'),
                low=0,
                high=1,
                decimals=2,
                span=24,
                limits=kit.steps((None, "transparent"), (_SCORE, kit.ORANGE)),
                overrides=[("/.*/", kit.prop(custom__showPoints="always", custom__pointSize=5))],
            )
        )
        .with_panel(patterns(11))
        .with_panel(evidence(12))
        .with_panel(
            events(16, "Diary, changes and relief", "In words.", "=~ /^(diary|baseline_change|relief|exercise)$/")
        )
        .with_panel(changes(13))
        .with_panel(course(14))
        .with_panel(
            kit.lines(
                15,
                "Decline and relief",
                "Long walks of each day, those that declined, and those eased by a rest. Hills, crowds "
                "and haste change pace too: a pattern only where it returns.",
                "none",
                *[
                    of("day_pattern", f'"evidence.{name}"', shown, f" AND {_DECLINE}")
                    for name, shown in (
                        ("long_walks", "Long walks"),
                        ("declined_walks", "Declined"),
                        ("declines_eased_by_rest", "Eased by a rest"),
                    )
                ],
                bars_=True,
                low=0,
                decimals=0,
            )
        )
    )


def _latest(measurement: str, field: str, tag: str) -> kit.InfluxQL:
    inner = f'SELECT last("{field}") AS "{field}" FROM "{measurement}" WHERE {kit.WEARER} GROUP BY "{tag}"'
    return kit.query(kit.DAYS, f'SELECT sum("{field}") FROM ({inner})')


def _diary(what: str, alias: str = "") -> kit.InfluxQL:
    where = f"{kit.WEARER} AND \"event\" = 'diary'"
    return kit.query(kit.MINUTES, f'SELECT {what} FROM "event" WHERE {where}', alias)


def patterns(id_: int) -> Any:
    """Every pattern on the latest day."""
    shown = {
        "pattern": "Pattern",
        "assessable": "Assessable",
        "score": "Score",
        "flagged": "Beyond the band",
        "side": "Spared leg",
        "evidence.departure": "Departure",
        "evidence.departure_error": "Error",
        "confidence": "Confidence",
        "reason": "Why not",
    }
    fields = ", ".join(f'"{name}"' for name in shown if name not in ("pattern", "assessable"))
    what = f'last("assessable") AS "assessable", {fields}'
    return kit.rows(
        id_,
        "Patterns of the latest day",
        f"With departure and error in spreads between healthy people. {_CONSISTENT}",
        "none",
        of("day_pattern", what, more=' GROUP BY "pattern"', as_table=True),
        span=24,
        height=9,
        sort=("Score", True),
        transform=[kit.named(shown)],
        overrides=[
            ("Pattern", kit.prop(custom__width=210)),
            ("Assessable", kit.prop(mappings=YES_NO)),
            ("Beyond the band", kit.prop(mappings=YES_NO)),
            (
                "Score",
                kit.prop(
                    decimals=2,
                    min=0,
                    max=1,
                    color={"mode": "fixed", "fixedColor": kit.BLUE},
                    custom__cellOptions={"type": "gauge", "mode": "basic"},
                    custom__width=180,
                ),
            ),
            ("/^(Departure|Error)$/", kit.prop(decimals=2)),
            ("Confidence", kit.prop(unit="percentunit", decimals=0)),
        ],
    )


def evidence(id_: int) -> Any:
    """What a pattern rests on."""
    where = 'AND "pattern" =~ /^$pattern$/'
    return kit.rows(
        id_,
        "Evidence of $pattern",
        "The metrics behind the chosen pattern on the latest day, units in their names.",
        "none",
        of("day_pattern", "last(/^evidence\\./)", more=f" {where}"),
        span=12,
        height=8,
        decimals=3,
        transform=[
            ("renameByRegex", {"regex": ".*evidence\\.(.*)$", "renamePattern": "$1"}),
            ("reduce", {"reducers": ["lastNotNull"], "mode": "seriesToRows"}),
            ("organize", {"renameByName": {"Field": "Metric", "Last *": "Value"}}),
            (
                "filterByValue",
                {
                    "type": "include",
                    "match": "any",
                    "filters": [{"fieldName": "Value", "config": {"id": "greaterOrEqual", "options": {"value": -1e9}}}],
                },
            ),
        ],
    )


def changes(id_: int) -> Any:
    """Every followed metric against the wearer's own baseline."""
    shown = {
        "metric": "Metric",
        "days": "Valid days",
        "value": "Latest",
        "baseline": "Usual",
        "spread": "Usual spread",
        "detectable_change": "Detectable change",
        "changed": "Changed",
        "reason": "Why, or why not",
    }
    fields = ", ".join(f'"{name}"' for name in shown if name not in ("metric", "days"))
    return kit.rows(
        id_,
        "Against the wearer's own baseline",
        "Changed: three valid days beyond the detectable change and three spreads, or small departures add up.",
        "none",
        of("day_change", f'last("days") AS "days", {fields}', more=' GROUP BY "metric"', as_table=True),
        span=24,
        height=8,
        sort=("Changed", True),
        decimals=2,
        transform=[kit.named(shown)],
        overrides=[
            ("Metric", kit.prop(custom__width=210)),
            ("Valid days", kit.prop(decimals=0)),
            ("Changed", kit.prop(mappings=YES_NO)),
            ("Why, or why not", kit.prop(custom__width=360)),
        ],
    )


def course(id_: int) -> Any:
    """One metric by day, beside what is usual and how much change can be told."""
    where = 'AND "metric" =~ /^$metric$/'

    def line(what: str, alias: str) -> kit.InfluxQL:
        return of("day_change", what, alias, f" {where}")

    usual, change = '"baseline"', '"detectable_change"'
    grey = kit.prop(color={"mode": "fixed", "fixedColor": kit.GREY}, custom__lineStyle={"fill": "dash", "dash": [6, 6]})
    return kit.lines(
        id_,
        "$metric by day",
        "Each valid day, what is usual (median), and the smallest change beyond measurement error.",
        "none",
        line('"value"', "Day"),
        line(usual, "Usual"),
        line(f"{usual} + {change}", "Usual + detectable change"),
        line(f"{usual} - {change}", "Usual - detectable change"),
        decimals=2,
        overrides=[
            (
                "Day",
                kit.prop(
                    color={"mode": "fixed", "fixedColor": kit.BLUE}, custom__showPoints="always", custom__lineWidth=2
                ),
            ),
            ("Usual", kit.prop(color={"mode": "fixed", "fixedColor": kit.GREEN}, custom__lineWidth=2)),
            ("/^Usual [+-]/", grey),
        ],
    )
