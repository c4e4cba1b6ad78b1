"""*Clinic*: every wearer on one page: who changed, who is silent, how long each wore it."""

from __future__ import annotations

from typing import Any

from dashboards.grafana import _kit as kit
from dashboards.grafana._names import UIDS
from sagittal.thresholds import threshold

_SILENT, _BATTERY = threshold("watch.silent_s"), threshold("watch.battery_low_percent")
_FLAG = kit.steps((None, "text"), (1, kit.ORANGE))
_DAY = f"/d/{UIDS['day']}?var-wearer=${{__data.fields.Wearer}}&${{__url_time_range}}"
_CHANGE = f"/d/{UIDS['compensation']}?var-wearer=${{__data.fields.Wearer}}"


def days(text: str, *, as_table: bool = False) -> kit.InfluxQL:
    """A query that begins in the bucket of days."""
    return kit.query(kit.DAYS, text, as_table=as_table)


def latest(measurement: str, field: str, tag: str) -> str:
    """The latest value of every wearer and tag."""
    return f'SELECT last("{field}") AS "{field}" FROM {measurement} WHERE $timeFilter GROUP BY "wearer"{tag}'


def build() -> Any:
    """The dashboard."""
    devices = '"$detail".."device"'
    worn = latest('"day"', "worn_s", "")
    made = kit.dashboard("clinic", "Clinic", "All wearers of this clinic.", time="now-48h", wearer=False)
    for one in kit.bucket_constants(kit.DETAIL, kit.MINUTES):
        made = made.with_variable(one)
    return (
        made.with_panel(
            kit.note(1, "Everyone at a glance; click a wearer for the day, or the number of changes for what changed.")
        )
        .with_panel(
            kit.number(
                2,
                "Wearers",
                "With a day in the range.",
                "none",
                days(f'SELECT count("worn_s") FROM ({worn})'),
                decimals=0,
            )
        )
        .with_panel(
            kit.number(
                3,
                "Changed",
                "Wearers of whom some metric changed, on their latest day.",
                "none",
                days(f'SELECT count("changed") FROM ({_sum("day_change", "changed", "metric")}) WHERE "changed" > 0'),
                decimals=0,
                empty="0",
                colours=kit.steps((None, kit.BLUE), (1, kit.ORANGE)),
            )
        )
        .with_panel(
            kit.number(
                4,
                "Beyond a band",
                "Wearers with a pattern beyond its reference band, on their latest day.",
                "none",
                days(f'SELECT count("flagged") FROM ({_sum("day_pattern", "flagged", "pattern")}) WHERE "flagged" > 0'),
                decimals=0,
                empty="0",
                colours=kit.steps((None, kit.BLUE), (1, kit.ORANGE)),
            )
        )
        .with_panel(
            kit.number(
                5,
                "Silent",
                f"Wearers without a new sample for more than {_SILENT / 60:.0f} min.",
                "none",
                days(
                    f'SELECT count("behind_s") FROM ({latest(devices, "behind_s", "")})'
                    f' WHERE "behind_s" > {_SILENT:.0f}'
                ),
                decimals=0,
                empty="0",
                colours=kit.steps((None, kit.BLUE), (1, kit.ORANGE)),
            )
        )
        .with_panel(
            kit.number(
                6,
                "Battery low",
                f"Wearables below {_BATTERY:.0f} %.",
                "none",
                days(
                    f'SELECT count("battery_percent") FROM ({latest(devices, "battery_percent", "")})'
                    f' WHERE "battery_percent" < {_BATTERY:.0f}'
                ),
                decimals=0,
                empty="0",
                colours=kit.steps((None, kit.BLUE), (1, kit.ORANGE)),
            )
        )
        .with_panel(
            kit.number(
                7, "Worn", "Mean of the wearers' latest days.", "s", days(f'SELECT mean("worn_s") FROM ({worn})')
            )
        )
        .with_panel(wearers(8, devices))
        .with_panel(changed(9))
        .with_panel(beyond(10))
    )


def _sum(measurement: str, field: str, tag: str) -> str:
    inner = latest(f'"{measurement}"', field, f', "{tag}"')
    return f'SELECT sum("{field}") AS "{field}" FROM ({inner}) GROUP BY "wearer"'


def wearers(id_: int, devices: str) -> Any:
    """One line a wearer."""
    shown = {
        "wearer": "Wearer",
        "changed": "Changes",
        "flagged": "Patterns",
        "newest_ms": "Newest sample",
        "compensation_score": "Score",
        "worn_s": "Worn",
        "steps": "Steps",
        "walks": "Walks",
        "bends": "Bends",
        "flexion_mean_deg": "Mean flexion",
        "battery_percent": "Battery",
        "state": "State",
    }
    today = '"steps", "walks", "bends", "flexion_mean_deg", "compensation_score"'
    return kit.rows(
        id_,
        "Wearers",
        "The latest day of each wearer and the state of the wearable; sort by any column.",
        "none",
        days(
            f'SELECT last("worn_s") AS "worn_s", {today} FROM "day" WHERE $timeFilter GROUP BY "wearer"', as_table=True
        ),
        days(_sum("day_change", "changed", "metric"), as_table=True),
        days(_sum("day_pattern", "flagged", "pattern"), as_table=True),
        days(
            f'SELECT last("newest_ms") AS "newest_ms", "battery_percent", "state" FROM {devices}'
            ' WHERE $timeFilter GROUP BY "wearer"',
            as_table=True,
        ),
        span=24,
        height=16,
        sort=("Changes", True),
        transform=[
            ("joinByField", {"byField": "wearer", "mode": "outer"}),
            (
                "organize",
                {
                    "excludeByName": {"Time": True, **{f"Time {n}": True for n in range(1, 5)}},
                    "renameByName": shown,
                    "indexByName": {name: index for index, name in enumerate(shown)},
                },
            ),
        ],
        overrides=[
            ("Wearer", kit.prop(links=[{"title": "The day of this wearer", "url": _DAY}], custom__width=110)),
            ("Newest sample", kit.prop(unit="dateTimeFromNow", custom__width=140)),
            (
                "Changes",
                kit.prop(
                    decimals=0,
                    thresholds=_plain(_FLAG),
                    color={"mode": "thresholds"},
                    custom__cellOptions={"type": "color-text"},
                    custom__width=100,
                    links=[{"title": "What changed", "url": _CHANGE}],
                ),
            ),
            (
                "Patterns",
                kit.prop(
                    decimals=0,
                    thresholds=_plain(_FLAG),
                    color={"mode": "thresholds"},
                    custom__cellOptions={"type": "color-text"},
                    custom__width=100,
                    links=[{"title": "Which patterns", "url": _CHANGE}],
                ),
            ),
            ("Score", kit.prop(decimals=2, custom__width=80)),
            (
                "Worn",
                kit.prop(
                    unit="s",
                    min=0,
                    max=57600,
                    color={"mode": "fixed", "fixedColor": kit.BLUE},
                    custom__cellOptions={"type": "gauge", "mode": "basic"},
                    custom__width=200,
                ),
            ),
            ("/^(Steps|Walks|Bends)$/", kit.prop(unit="none", decimals=0, custom__width=85)),
            ("Mean flexion", kit.prop(unit="degree", decimals=1, custom__width=115)),
            (
                "Battery",
                kit.prop(
                    unit="percent",
                    decimals=0,
                    color={"mode": "thresholds"},
                    thresholds=_plain(kit.steps((None, kit.RED), (_BATTERY, kit.GREEN))),
                    custom__cellOptions={"type": "color-text"},
                ),
            ),
        ],
    )


def changed(id_: int) -> Any:
    """What changed, of whom."""
    shown = {
        "wearer": "Wearer",
        "metric": "Metric",
        "value": "Latest",
        "baseline": "Usual",
        "detectable_change": "Detectable change",
        "reason": "How",
    }
    text = (
        'SELECT last("value") AS "value", "baseline", "detectable_change", "reason" FROM "day_change"'
        ' WHERE "changed" = 1 AND $timeFilter GROUP BY "wearer", "metric"'
    )
    return kit.rows(
        id_,
        "What changed",
        "Metrics beyond the wearer's own detectable change within the range.",
        "none",
        days(text, as_table=True),
        decimals=2,
        transform=[kit.named(shown)],
        overrides=[
            ("Wearer", kit.prop(links=[{"title": "What changed", "url": _CHANGE}], custom__width=90)),
            ("Detectable change", kit.prop(custom__width=150)),
            ("/^(Latest|Usual)$/", kit.prop(custom__width=90)),
        ],
    )


def beyond(id_: int) -> Any:
    """Which patterns lie beyond their band, of whom."""
    shown = {
        "wearer": "Wearer",
        "pattern": "Pattern",
        "score": "Score",
        "side": "Spared leg",
        "confidence": "Confidence",
    }
    text = (
        'SELECT last("score") AS "score", "side", "confidence" FROM "day_pattern"'
        ' WHERE "flagged" = 1 AND $timeFilter GROUP BY "wearer", "pattern"'
    )
    return kit.rows(
        id_,
        "Patterns beyond their band",
        "Pattern consistent with; it names no disease, cause, muscle or joint.",
        "none",
        days(text, as_table=True),
        decimals=2,
        transform=[kit.named(shown)],
        overrides=[
            ("Wearer", kit.prop(links=[{"title": "Which patterns", "url": _CHANGE}])),
            ("Confidence", kit.prop(unit="percentunit", decimals=0)),
        ],
    )


def _plain(colours: Any) -> dict[str, Any]:
    return {"mode": "absolute", "steps": [{"value": one.value, "color": one.color} for one in colours.steps]}
