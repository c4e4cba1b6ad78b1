"""What a running Grafana lacks, what differs, and bringing it there; nothing is written that is the same already."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dashboards.grafana._alerts import rules
from dashboards.grafana._build import dashboards
from dashboards.grafana._names import BUCKETS, FOLDER_TITLE, FOLDER_UID, NAMES, UIDS
from dashboards.grafana._remote import MESSAGE, GrafanaRefused, Remote
from dashboards.grafana._sources import source
from sagittal.errors import StoreError

Json = dict[str, Any]
_OF_GRAFANA = ("id", "version", "gnetId", "iteration")
"""Parts of a dashboard that Grafana counts itself."""
_RULE_PARTS = (
    "title",
    "folderUID",
    "ruleGroup",
    "condition",
    "for",
    "noDataState",
    "execErrState",
    "annotations",
    "labels",
    "isPaused",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing of a Grafana, as it is and as it shall be."""

    kind: Literal["folder", "source", "dashboard", "alert"]
    name: str
    there: Json | None
    wanted: Json
    put: Callable[[], None]
    blocked: str = ""

    @property
    def state(self) -> str:
        """`missing`, `differs` or `same`."""
        if self.there is None:
            return "missing"
        return "same" if self.there == self.wanted else "differs"

    def diff(self) -> list[str]:
        """What differs, line by line."""
        if self.state == "same":
            return []
        before = [] if self.there is None else _text(self.there)
        return list(difflib.unified_diff(before, _text(self.wanted), "Grafana", "Sagittal", lineterm="", n=2))


def plan(remote: Remote, influx_url: str, token: str, buckets: dict[str, str] = BUCKETS) -> Iterator[Step]:
    """Every thing of ours in the order in which they depend on each other."""
    folder = remote.folder()
    there = None if folder is None else {"title": folder.get("title")}
    yield Step(
        "folder", FOLDER_UID, there, {"title": FOLDER_TITLE}, lambda: remote.put_folder(known=folder is not None)
    )
    for uid in BUCKETS:
        yield _source_step(remote, source(uid, influx_url, token, buckets), token)
    shipped = dashboards()
    for name in NAMES:
        yield _dashboard_step(remote, shipped[name], buckets)
    for rule in rules():
        yield _rule_step(remote, rule)


def push(steps: Iterator[Step], *, dry: bool, overwrite: bool) -> Iterator[tuple[Step, str]]:
    """Bring a Grafana to what is wanted; each step with what was done, in words.

    Raises
    ------
    GrafanaRefused
        Where a person changed a dashboard (unless `overwrite`), it comes from files, or Grafana refuses.
    """
    for step in steps:
        if step.state == "same":
            yield step, "same"
            continue
        if step.blocked and not (overwrite and "overwrite" in step.blocked):
            raise GrafanaRefused(f"{step.kind} {step.name}: {step.blocked}")
        if dry:
            yield step, "would be made" if step.state == "missing" else "would be replaced"
            continue
        step.put()
        yield step, "made" if step.state == "missing" else "replaced"


def pull(remote: Remote, folder: Path) -> list[Path]:
    """Write what a Grafana holds of our dashboards and alerts as JSON; what it lacks is left out.

    Raises
    ------
    StoreError
        Where a file can't be written.
    """
    found: dict[str, Json] = {}
    for name in NAMES:
        if (live := remote.dashboard(UIDS[name])) is not None:
            found[f"{name}.json"] = _plain(live["dashboard"])
    for rule in rules():
        if (there := remote.rule(rule["uid"])) is not None:
            found[f"alert-{rule['uid']}.json"] = there
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, value in found.items():
            (folder / file).write_text("\n".join(_text(value)) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder} can't be written ({error.strerror}): name another --out") from None
    return [folder / file for file in found]


def _source_step(remote: Remote, wanted: Json, token: str) -> Step:
    """Grafana never tells a secret; a hash beside it says whether it is the same."""
    mark = hashlib.sha256(token.encode()).hexdigest()[:16]
    wanted = {**wanted, "jsonData": {**wanted["jsonData"], "sagittalToken": mark}}
    live = remote.source(wanted["uid"])
    shown = {key: value for key, value in wanted.items() if key != "secureJsonData"}
    there = None if live is None else {key: live.get(key) for key in shown}
    blocked = (
        "it comes from files that Grafana reads (provisioning): change those" if live and live.get("readOnly") else ""
    )
    return Step(
        "source", wanted["uid"], there, shown, lambda: remote.put_source(wanted, known=live is not None), blocked
    )


def _dashboard_step(remote: Remote, shipped: Json, buckets: dict[str, str]) -> Step:
    wanted = _plain(json.loads(_with_buckets(json.dumps(shipped), buckets)))
    live = remote.dashboard(wanted["uid"])
    if live is None:
        return Step("dashboard", wanted["uid"], None, wanted, lambda: remote.put_dashboard(wanted, None))
    meta, there = live.get("meta", {}), _plain(live["dashboard"])
    blocked = ""
    if meta.get("provisioned"):
        blocked = "it comes from files that Grafana reads (provisioning): change those"
    elif there != wanted and remote.last_message(wanted["uid"]) != MESSAGE:
        blocked = "someone changed it in Grafana: `pull` keeps that, `push --overwrite` replaces it"
    version = int(live["dashboard"].get("version", 0))
    there_or_moved = {**there, "folderUid": meta.get("folderUid")}
    return Step(
        "dashboard",
        wanted["uid"],
        there_or_moved,
        {**wanted, "folderUid": FOLDER_UID},
        lambda: remote.put_dashboard(wanted, version),
        blocked,
    )


def _rule_step(remote: Remote, wanted: Json) -> Step:
    live = remote.rule(wanted["uid"])
    there = None if live is None else _rule(live)
    return Step("alert", wanted["uid"], there, _rule(wanted), lambda: remote.put_rule(wanted, known=live is not None))


def _rule(rule: Json) -> Json:
    """What we set of a rule; Grafana adds more."""
    parts = {key: rule.get(key) for key in _RULE_PARTS}
    asked = [
        {"refId": one["refId"], "datasourceUid": one["datasourceUid"], "model": _model(one["model"]),
         "relativeTimeRange": one.get("relativeTimeRange")}
        for one in rule.get("data", [])
    ]  # fmt: skip
    return {**parts, "data": asked}


def _model(model: Json) -> Json:
    return {key: value for key, value in model.items() if key not in ("intervalMs", "maxDataPoints")}


def _plain(dashboard: Json) -> Json:
    return {key: value for key, value in dashboard.items() if key not in _OF_GRAFANA}


def _with_buckets(text: str, buckets: dict[str, str]) -> str:
    """Constants that name buckets, where a clinic has names of its own; uids of data sources stay."""
    dashboard = json.loads(text)
    for variable in dashboard.get("templating", {}).get("list", []):
        if variable.get("type") == "constant":
            variable["query"] = buckets[f"sagittal_{variable['name']}"]
    return json.dumps(dashboard)


def _text(value: Json) -> list[str]:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).splitlines()
