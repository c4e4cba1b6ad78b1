"""Every query of a dashboard, filled in as Grafana would, and asked of a real InfluxDB."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.sinks.servers import InfluxServer

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Asked:
    """One query of a panel: where it stands, what was sent, and what came back."""

    panel: str
    title: str
    text: str
    rows: int
    seconds: float


def panels(dashboard: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every panel, those in closed rows too, rows themselves left out."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def span_s(text: str) -> int:
    """The seconds of "24h"."""
    found = re.fullmatch(r"(\d+)([smhd])", text)
    assert found, text
    return int(found[1]) * UNITS[found[2]]


def ask_all(
    dashboard: dict[str, Any], server: InfluxServer, buckets: dict[str, str], token: str, now_s: int, reach_s: int,
    values: dict[str, str],
) -> list[Asked]:  # fmt: skip
    """Ask every query of every panel over the last `reach_s` seconds."""
    found: list[Asked] = []
    for panel in panels(dashboard):
        step_s = max(reach_s // 800, span_s(panel["interval"]) if panel.get("interval") else 10)
        for target in panel.get("targets", []):
            text = filled(target["query"], now_s, reach_s, step_s, values)
            began = time.perf_counter()
            series = server.ask(buckets[target["datasource"]["uid"]], text, token)
            took = time.perf_counter() - began
            rows = sum(any(v is not None for v in row[1:]) for one in series for row in one["values"])
            found.append(Asked(f"{dashboard['uid']}/{panel['id']}{target['refId']}", panel["title"], text, rows, took))
    return found


def filled(text: str, now_s: int, reach_s: int, step_s: int, values: dict[str, str]) -> str:
    """The text of a query as Grafana sends it."""
    between = f"time >= {(now_s - reach_s) * 1000}ms and time <= {now_s * 1000}ms"
    text = text.replace("$timeFilter", between).replace("$__interval", f"{step_s}s")
    for name, value in values.items():
        text = re.sub(rf"\$\{{{name}\}}|\${name}\b", value, text)
    assert "$" not in re.sub(r"/[^/]*/", "", text), text
    return text
