"""Alert rules: when a person should look, with the thresholds that the dashboards draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboards.grafana._names import DAYS, DETAIL, FOLDER_TITLE, FOLDER_UID, MINUTES, UIDS
from sagittal.results import NOTICE
from sagittal.thresholds import threshold

GROUP = "sagittal"
EVERY_S = 60
_EXPRESSION = "__expr__"
_MINUTE_S = 60
_DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule: InfluxQL queries by letter, each reduced to its last value, and a formula over them."""

    name: str
    title: str
    summary: str
    source: str
    queries: tuple[str, ...]
    formula: str
    reach_s: int
    for_: str
    dashboard: str
    panel: int
    no_data: str = "OK"


def alerts() -> list[Alert]:
    """Every rule."""
    silent, battery = threshold("watch.silent_s"), threshold("watch.battery_low_percent")
    bent, hold_s = threshold("posture.flexion_acceptable_deg"), threshold("posture.hold_longest_s")
    behind, waiting = threshold("watch.behind_s"), threshold("watch.outbox_waiting")
    minutes = round(hold_s / _MINUTE_S)
    return [
        Alert(
            "silent",
            "Wearer silent",
            f"{{{{ $labels.wearer }}}}: no new sample for more than {silent / 60:.0f} minutes.",
            DETAIL,
            ('SELECT last("behind_s") FROM "device" WHERE $timeFilter GROUP BY "wearer"',),
            f"$A > {silent:.0f}",
            10 * _MINUTE_S,
            "2m",
            "devices",
            7,
        ),
        Alert(
            "battery",
            "Battery low",
            f"{{{{ $labels.wearer }}}}, {{{{ $labels.site }}}}: below {battery:.0f} %.",
            DETAIL,
            ('SELECT last("battery_percent") FROM "device" WHERE $timeFilter GROUP BY "wearer", "site"',),
            f"$A < {battery:.0f}",
            10 * _MINUTE_S,
            "5m",
            "devices",
            4,
        ),
        Alert(
            "flexion",
            "Sustained flexion",
            f"{{{{ $labels.wearer }}}}: bent beyond {bent:.0f}° for {minutes} min, the longest acceptable time.",
            MINUTES,
            (
                'SELECT min("flexion_p5_deg") FROM "minute" WHERE $timeFilter GROUP BY "wearer"',
                'SELECT count("flexion_p5_deg") FROM "minute" WHERE $timeFilter GROUP BY "wearer"',
            ),
            f"$A > {bent:.0f} && $B >= {minutes}",
            (minutes + 1) * _MINUTE_S,
            "0s",
            "day",
            9,
        ),
        Alert(
            "hold",
            "Held beyond the acceptable time",
            "{{ $labels.wearer }}: a bent posture was held longer than is acceptable at its angle (ISO 11226).",
            MINUTES,
            ('SELECT max("values.beyond_s") FROM "event" WHERE "event" = \'hold\' AND $timeFilter GROUP BY "wearer"',),
            "$A > 0",
            30 * _MINUTE_S,
            "0s",
            "day",
            14,
        ),
        Alert(
            "change",
            "Change beyond the detectable change",
            "{{ $labels.wearer }}: {{ $labels.metric }} lies beyond the wearer's own detectable change.",
            DAYS,
            ('SELECT last("changed") FROM "day_change" WHERE $timeFilter GROUP BY "wearer", "metric"',),
            "$A > 0",
            2 * _DAY_S,
            "0s",
            "compensation",
            13,
        ),
        Alert(
            "behind",
            "Worker or store behind",
            f"Results come more than {behind:.0f} s late, or the worker says nothing.",
            DETAIL,
            ('SELECT last("behind_s") FROM "service" WHERE $timeFilter GROUP BY "source"',),
            f"$A > {behind:.0f}",
            5 * _MINUTE_S,
            "5m",
            "service",
            8,
            no_data="Alerting",
        ),
        Alert(
            "outbox",
            "Results are waiting",
            f"More than {waiting:.0f} results wait for a reader of the outbox: does InfluxDB or the broker refuse?",
            DETAIL,
            ('SELECT last("outbox_waiting") FROM "service" WHERE $timeFilter GROUP BY "source"',),
            f"$A > {waiting:.0f}",
            5 * _MINUTE_S,
            "10m",
            "service",
            10,
        ),
    ]


def rule(alert: Alert) -> dict[str, Any]:
    """A rule as Grafana's provisioning API takes it (`/api/v1/provisioning/alert-rules`)."""
    return {
        "uid": f"sagittal-{alert.name}",
        "title": alert.title,
        "folderUID": FOLDER_UID,
        "ruleGroup": GROUP,
        "condition": "Z",
        "data": _data(alert),
        "for": alert.for_,
        "noDataState": alert.no_data,
        "execErrState": "Error",
        "annotations": {
            "summary": alert.summary,
            "description": NOTICE,
            "__dashboardUid__": UIDS[alert.dashboard],
            "__panelId__": str(alert.panel),
        },
        "labels": {"service": "sagittal"},
        "isPaused": False,
    }


def rules() -> list[dict[str, Any]]:
    """Every rule as Grafana's provisioning API takes it."""
    return [rule(alert) for alert in alerts()]


def rule_file() -> dict[str, Any]:
    """The same as a file that Grafana reads when it starts."""
    own = ("folderUID", "ruleGroup")
    group = {
        "orgId": 1,
        "name": GROUP,
        "folder": FOLDER_TITLE,
        "interval": f"{EVERY_S}s",
        "rules": [
            {key: value if key == "annotations" else _escaped(value) for key, value in one.items() if key not in own}
            for one in rules()
        ],
    }
    return {"apiVersion": 1, "groups": [group]}


def _data(alert: Alert) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    formula = alert.formula
    for query, raw, reduced in zip(alert.queries, "QR", "AB", strict=False):
        found.append(_query(alert, raw, query))
        formula = formula.replace(f"${reduced}", f"${{{reduced}}}")
        model = {"type": "reduce", "expression": raw, "reducer": "last", "settings": {"mode": "dropNN"}}
        found.append(_expression(reduced, model))
    found.append(_expression("Z", {"type": "math", "expression": formula}))
    return found


def _query(alert: Alert, ref: str, text: str) -> dict[str, Any]:
    model = {
        "refId": ref,
        "datasource": {"type": "influxdb", "uid": alert.source},
        "rawQuery": True,
        "query": text,
        "resultFormat": "time_series",
        "intervalMs": EVERY_S * 1000,
        "maxDataPoints": 1000,
    }
    return {
        "refId": ref,
        "queryType": "",
        "relativeTimeRange": {"from": alert.reach_s, "to": 0},
        "datasourceUid": alert.source,
        "model": model,
    }


def _expression(ref: str, about: dict[str, Any]) -> dict[str, Any]:
    model = {"refId": ref, "datasource": {"type": _EXPRESSION, "uid": _EXPRESSION}, **about}
    return {
        "refId": ref,
        "queryType": "",
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": _EXPRESSION,
        "model": model,
    }


def _escaped(value: Any) -> Any:
    """A `$` that Grafana shall not take for a variable of its environment; in annotations it takes none."""
    match value:
        case str():
            return value.replace("$", "$$")
        case dict():
            return {key: _escaped(entry) for key, entry in value.items()}
        case list():
            return [_escaped(entry) for entry in value]
    return value
