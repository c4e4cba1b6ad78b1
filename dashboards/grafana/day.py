"""*Wearer's day*: what posture, how far bent, how often, for how long, and what was said about it."""

from __future__ import annotations

from typing import Any

from dashboards._words import word
from dashboards.drawings import POSTURE_COLOURS
from dashboards.grafana import _kit as kit
from sagittal.thresholds import threshold

_SMALL, _LARGE = threshold("posture.flexion_acceptable_deg"), threshold("posture.flexion_not_acceptable_deg")
_SIDE = threshold("posture.lateral_acceptable_deg")
_BANDS = {
    "backwards": ("Backwards", kit.PURPLE),
    f"0-{_SMALL:.0f}": (f"0 to {_SMALL:.0f}°", kit.GREEN),
    f"{_SMALL:.0f}-{_LARGE:.0f}": (f"{_SMALL:.0f} to {_LARGE:.0f}°", kit.ORANGE),
    f"{_LARGE:.0f}-": (f"beyond {_LARGE:.0f}°", kit.RED),
}
_PELVIS = "Inclination of the sensor's segment against upright, not the curve of the lumbar spine."
_EVENT = f'FROM "event" WHERE {kit.WEARER}'


def minute(what: str, grouped: str = "", alias: str = "") -> kit.InfluxQL:
    """Something of the wearer's minutes."""
    return kit.query(kit.MINUTES, f'SELECT {what} FROM "minute" WHERE {kit.WEARER}{grouped}', alias)


def over_time(what: str, alias: str) -> kit.InfluxQL:
    """Something of the wearer's minutes, over time, gaps kept."""
    return minute(what, " GROUP BY time($__interval) fill(null)", alias)


def build() -> Any:
    """The dashboard."""
    made = kit.dashboard("day", "Wearer's day", "Posture, exposure and nudges of one wearer.")
    for one in happenings():
        made = made.annotation(one)
    return (
        made.with_panel(kit.note(1, "One wearer over the chosen time, from minutes; seconds are in the last row."))
        .with_panel(kit.number(2, "Worn", "Time with a posture that could be told.", "s", minute('sum("worn_s")')))
        .with_panel(kit.number(3, "Steps", "Steps in walking bouts.", "none", minute('sum("steps")'), decimals=0))
        .with_panel(kit.number(4, "Bends", f"Bends beyond {_SMALL:.0f}°.", "none", minute('sum("bends")'), decimals=0))
        .with_panel(
            kit.number(
                5,
                f"{_SMALL:.0f} to {_LARGE:.0f}°",
                f"Time bent between {_SMALL:.0f} and {_LARGE:.0f}° (ISO 11226).",
                "s",
                minute(f'sum("trunk_band_s.{_SMALL:.0f}-{_LARGE:.0f}")'),
            )
        )
        .with_panel(
            kit.number(
                6,
                "Longest hold",
                "Longest time in one bent posture (static for 4 s and more, ISO 11226).",
                "s",
                kit.query(kit.MINUTES, f'SELECT max("duration_s") {_EVENT} AND "event" = \'hold\''),
                colours=kit.steps((None, kit.BLUE), (threshold("posture.hold_longest_s"), kit.ORANGE)),
            )
        )
        .with_panel(
            kit.number(
                7,
                "Nudges",
                "Times that the wearer was told.",
                "none",
                kit.query(kit.MINUTES, f'SELECT count("duration_s") {_EVENT} AND "event" = \'nudge\''),
                decimals=0,
                empty="0",
            )
        )
        .with_panel(
            kit.states(
                8,
                "Posture",
                "The posture in which most of each interval was spent; empty where nothing was recorded.",
                kit.words({name: (word(f"posture.{name}"), colour) for name, colour in POSTURE_COLOURS.items()}),
                over_time('mode("posture")', "Posture"),
                every="1m",
            )
        )
        .with_panel(
            angle(9, "Flexion", "flexion", kit.steps((None, "transparent"), (_SMALL, kit.ORANGE), (_LARGE, kit.RED)))
        )
        .with_panel(lateral(10))
        .with_panel(
            kit.lines(
                11,
                "Time in each posture",
                "Seconds of each interval in each posture.",
                "s",
                *[over_time(f'sum("posture_s.{name}")', word(f"posture.{name}")) for name in POSTURE_COLOURS],
                bars_=True,
                stacked=True,
                every="5m",
                low=0,
                overrides=[
                    (word(f"posture.{name}"), kit.prop(color={"mode": "fixed", "fixedColor": colour}))
                    for name, colour in POSTURE_COLOURS.items()
                ],
            )
        )
        .with_panel(
            kit.bars(
                12,
                "Trunk bands",
                f"Time in the trunk bands of RULA and REBA. {_PELVIS}",
                "s",
                *[minute(f'sum("trunk_band_s.{name}")', alias=shown) for name, (shown, _) in _BANDS.items()],
                span=12,
                overrides=[
                    (shown, kit.prop(color={"mode": "fixed", "fixedColor": colour}))
                    for shown, colour in _BANDS.values()
                ],
            )
        )
        .with_panel(
            kit.lines(
                13,
                "Bends and risings",
                "Bends beyond the limit and risings from a seat in each interval.",
                "none",
                over_time('sum("bends")', "Bends"),
                over_time('sum("sit_to_stands")', "Risings from a seat"),
                over_time('sum("posture_shifts")', "Shifts on the seat"),
                every="10m",
                low=0,
                bars_=True,
            )
        )
        .with_panel(exposure(17))
        .with_panel(holds(14))
        .with_panel(events(15, "Nudges, breaks and wishes", "What the wearer was told, and what came of it.", _NUDGES))
        .with_panel(gaps(16))
        .with_row(seconds())
    )


_NUDGES = "=~ /^(nudge|nudge_followed|nudge_ignored|nudge_wrong|break_due|snoozed|mode)$/"


def angle(id_: int, title: str, name: str, limits: Any) -> Any:
    """An angle over time: mean, and the range in which nine tenths of it lie."""
    return kit.lines(
        id_,
        title,
        f"Mean of each minute, and where nine tenths of it lie; positive forwards. {_PELVIS}",
        "degree",
        over_time(f'mean("{name}_mean_deg")', "Mean"),
        over_time(f'max("{name}_p95_deg")', "95 %"),
        over_time(f'min("{name}_p5_deg")', "5 %"),
        limits=limits,
        every="1m",
        overrides=[
            ("Mean", kit.prop(color={"mode": "fixed", "fixedColor": kit.BLUE}, custom__lineWidth=2)),
            ("95 %", _shade("5 %")),
            ("5 %", _shade(None)),
        ],
    )


def _shade(below: str | None) -> dict[str, Any]:
    look = kit.prop(color={"mode": "fixed", "fixedColor": kit.SKY}, custom__lineWidth=0, custom__showPoints="never")
    return look | ({} if below is None else {"custom.fillBelowTo": below, "custom.fillOpacity": 25})


def lateral(id_: int) -> Any:
    """Lateral inclination over time."""
    limits = kit.steps((None, kit.ORANGE), (-_SIDE, "transparent"), (_SIDE, kit.ORANGE))
    return kit.lines(
        id_,
        "Lateral inclination",
        f"Mean of each minute; positive to the wearer's right. {_PELVIS}",
        "degree",
        over_time('mean("lateral_mean_deg")', "Lateral"),
        limits=limits,
        every="1m",
        overrides=[("Lateral", kit.prop(color={"mode": "fixed", "fixedColor": kit.PURPLE}, custom__lineWidth=2))],
    )


def events(id_: int, title: str, about: str, which: str, sort: tuple[str, bool] = ("Time", True)) -> Any:
    """A table of events."""
    text = f'SELECT "event" AS "what", "duration_s", "text" {_EVENT} AND "event" {which}'
    return kit.rows(
        id_,
        title,
        about,
        "none",
        kit.query(kit.MINUTES, text, as_table=True),
        sort=sort,
        transform=[
            (
                "organize",
                {
                    "renameByName": {
                        "what": "What",
                        "duration_s": "Lasted",
                        "text": "Words",
                    },
                },
            )
        ],
        overrides=[
            ("Lasted", kit.prop(unit="s", custom__width=110)),
            ("Time", kit.prop(custom__width=160)),
            ("What", kit.prop(custom__width=130, mappings=_words())),
        ],
    )


def holds(id_: int) -> Any:
    """Bent postures held, and how long each is acceptable."""
    shown = {"values.flexion_deg": "Flexion", "values.acceptable_s": "Acceptable", "values.beyond_s": "Beyond"}
    fields = ", ".join(f'"{name}"' for name in shown)
    return kit.rows(
        id_,
        "Holds",
        "Bent postures held for 4 s or more, the longest first, and how long each angle is acceptable (ISO 11226).",
        "s",
        kit.query(kit.MINUTES, f'SELECT "duration_s", {fields} {_EVENT} AND "event" = \'hold\'', as_table=True),
        sort=("Lasted", True),
        transform=[("organize", {"renameByName": {"duration_s": "Lasted", **shown}})],
        overrides=[("Time", kit.prop(custom__width=160)), ("Flexion", kit.prop(unit="degree", decimals=0))],
    )


def _words() -> list[dict[str, Any]]:
    names = (
        "hold",
        "bend",
        "nudge",
        "nudge_followed",
        "nudge_ignored",
        "nudge_wrong",
        "break_due",
        "snoozed",
        "mode",
        "diary",
        "baseline_change",
        "relief",
        "calibrated",
        "sensor_moved",
    )
    shown = {name: {"text": name.replace("_", " "), "index": index} for index, name in enumerate(names)}
    return [{"type": "value", "options": shown}]


def gaps(id_: int) -> Any:
    """Stretches without samples."""
    text = f'SELECT "reason", "end_ms", "samples", "site"::tag FROM "gap" WHERE {kit.WEARER}'
    return kit.rows(
        id_,
        "Gaps",
        "Stretches without usable samples, and why.",
        "none",
        kit.query(kit.MINUTES, text, as_table=True),
        span=24,
        height=6,
        sort=("Time", True),
        transform=[
            (
                "organize",
                {
                    "renameByName": {"reason": "Why", "end_ms": "Until", "samples": "Samples missing", "site": "Site"},
                },
            )
        ],
        overrides=[("Until", kit.prop(unit="dateTimeAsIso")), ("Samples missing", kit.prop(unit="none", decimals=0))],
    )


def exposure(id_: int) -> Any:
    """The matrix amplitude × duration."""
    return kit.rows(
        id_,
        "Exposure: how far × how long",
        "Time by amplitude and by the length of each stay (exposure variation).",
        "s",
        kit.query(kit.MINUTES, f'SELECT sum(/^exposure_s\\./) FROM "minute" WHERE {kit.WEARER}'),
        transform=[
            ("renameByRegex", {"regex": ".*exposure_s\\.(.*)\\|(.*)$", "renamePattern": "$1 for $2"}),
            ("reduce", {"reducers": ["sum"], "mode": "seriesToRows"}),
            ("organize", {"renameByName": {"Field": "Amplitude and length", "Total": "Time"}}),
        ],
        overrides=[
            (
                "Time",
                kit.prop(
                    custom__cellOptions={"type": "gauge", "mode": "basic"},
                    min=0,
                    color={"mode": "fixed", "fixedColor": kit.BLUE},
                ),
            )
        ],
    )


def seconds() -> Any:
    """The last row, closed at first: every second, for short ranges."""
    from grafana_foundation_sdk.builders import dashboard as builders

    def detail(what: str, alias: str) -> kit.InfluxQL:
        where = f'FROM "posture" WHERE {kit.WEARER} GROUP BY time($__interval) fill(null)'
        return kit.query(kit.DETAIL, f"SELECT {what} {where}", alias)

    limits = kit.steps((None, "transparent"), (_SMALL, kit.ORANGE), (_LARGE, kit.RED))
    return (
        builders.Row("Seconds (the last 90 days)")
        .id(18)
        .collapsed(True)
        .with_panel(
            kit.lines(
                19,
                "Angles by the second",
                f"Means of each interval; seconds where the range is short. {_PELVIS}",
                "degree",
                detail('mean("flexion_deg")', "Flexion"),
                detail('mean("lateral_deg")', "Lateral"),
                span=24,
                limits=limits,
                every="1s",
            )
        )
        .with_panel(
            kit.lines(
                20,
                "Confidence",
                "How sure the posture is.",
                "percentunit",
                detail('mean("confidence")', "Confidence"),
                span=24,
                height=5,
                low=0,
                high=1,
                every="1s",
            )
        )
    )


def happenings() -> list[Any]:
    """Events on every panel over time."""

    def of(name: str, colour: str, which: str, *, hidden: bool = False) -> Any:
        text = f'SELECT "event" AS "what", "end_ms" {_EVENT} AND "event" {which}'
        return kit.annotate(name, colour, kit.MINUTES, text, "what", hidden=hidden)

    gap = f'SELECT "reason", "end_ms" FROM "gap" WHERE {kit.WEARER}'
    return [
        of("Nudges", kit.ORANGE, "=~ /^(nudge|break_due)$/"),
        of("Diary", kit.PURPLE, "=~ /^(diary|exercise)$/"),
        of("Sensor", kit.GREY, "=~ /^(calibrated|sensor_moved|calibration_expired)$/"),
        of("Holds", kit.RED, "= 'hold'", hidden=True),
        kit.annotate("Gaps", kit.GREY, kit.MINUTES, gap, "reason"),
    ]
