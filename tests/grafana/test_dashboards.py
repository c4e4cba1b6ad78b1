"""The dashboards: in step with the code, whole, and every query answered by a real InfluxDB."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest

from analytics.compensation._bands import bands
from dashboards.grafana._alerts import alerts
from dashboards.grafana._build import HERE, built, dashboards
from dashboards.grafana._names import BUCKETS, DETAIL, MINUTES, NAMES, TAG, UIDS
from sagittal.results import NOTICE
from sagittal.thresholds import threshold
from tests.grafana.asking import ask_all, filled, panels
from tests.grafana.conftest import Clinic

DAY_S = 86_400
EMPTY = {
    ("sagittal-day", "Time in each posture"),  # Nobody squats.
    ("sagittal-compensation", "Pain diary"),  # Nobody notes the right knee.
}
QUARTER_S = DAY_S // 4
REACH = {
    "day": (DAY_S, 30 * DAY_S),
    "walking": (7 * DAY_S, 30 * DAY_S),
    "compensation": (30 * DAY_S,),
    "clinic": (2 * DAY_S,),
    "devices": (QUARTER_S,),
    "service": (QUARTER_S,),
}


@pytest.fixture(params=NAMES)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dashboards()[request.param]


def test_files_are_what_the_code_makes() -> None:
    made = built()
    assert made == built()
    on_disk = {
        str(path.relative_to(HERE)): path.read_text(encoding="utf-8")
        for folder in ("json", "provisioning")
        for path in (HERE / folder).rglob("*.*")
    }
    assert on_disk == made, "run `sagittal dashboards build`"


def test_a_dashboard_is_whole(dashboard: dict[str, Any]) -> None:
    assert dashboard["uid"] in UIDS.values()
    assert TAG in dashboard["tags"]
    assert NOTICE in dashboard["description"]
    assert dashboard["schemaVersion"] >= 41
    assert dashboard["links"][0]["includeVars"]
    every = [*dashboard["panels"], *(inner for panel in dashboard["panels"] for inner in panel.get("panels", []))]
    ids = [panel["id"] for panel in every]
    assert len(set(ids)) == len(ids)
    assert 0 not in ids
    assert any(
        NOTICE in panel["options"].get("content", "") for panel in dashboard["panels"] if panel["type"] == "text"
    )


def test_every_panel_says_what_it_shows_in_which_unit(dashboard: dict[str, Any]) -> None:
    for panel in panels(dashboard):
        assert panel["description"], panel["title"]
        if panel["type"] == "text":
            continue
        assert panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["rawQuery"] is True
            assert target["datasource"] == panel["datasource"]
            assert target["datasource"]["uid"] in BUCKETS
            assert "$timeFilter" in target["query"]
            assert (
                target.get("alias")
                or target["resultFormat"] == "table"
                or "GROUP BY" not in target["query"].split("(")[0]
            )


def test_no_two_panels_lie_on_one_another(dashboard: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in dashboard["panels"]]
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)
    assert all(place["x"] + place["w"] <= 24 for place in places)


def test_links_lead_to_dashboards_that_are_there(dashboard: dict[str, Any]) -> None:
    linked = set(re.findall(r"/d/([a-z-]+)", json.dumps(dashboard)))
    assert linked <= set(UIDS.values())


def test_alerts_point_at_panels_that_are_there() -> None:
    shown = dashboards()
    for alert in alerts():
        assert alert.panel in [panel["id"] for panel in panels(shown[alert.dashboard])], alert.name


def test_reference_lines_are_those_of_the_analytics() -> None:
    line = bands().line
    assert threshold("reference.asymmetric_gait_departure") == line["asymmetric_gait_edge"]


@pytest.mark.influx
@pytest.mark.slow
@pytest.mark.parametrize(("name", "reach_s"), [(name, reach) for name in NAMES for reach in REACH[name]])
def test_every_query_of_every_panel_finds_what_is_there(name: str, reach_s: int, clinic: Clinic) -> None:
    dashboard = dashboards()[name]
    values = {
        "wearer": "(anna|w001)" if name == "devices" else "anna",
        "pattern": "asymmetric_gait",
        "metric": "walking_speed_mps",
        "detail": clinic.buckets[DETAIL],
        "minutes": clinic.buckets[MINUTES],
    }
    asked = ask_all(dashboard, clinic.server, clinic.buckets, clinic.token, clinic.now_s, reach_s, values)
    assert asked
    by_panel: dict[str, int] = {}
    for one in asked:
        by_panel[one.title] = by_panel.get(one.title, 0) + one.rows
        if (dashboard["uid"], one.title) not in EMPTY:
            assert one.rows, f"{one.panel} {one.title}: nothing for {one.text}"
    assert all(by_panel.values()), by_panel


@pytest.mark.influx
@pytest.mark.slow
def test_variables_and_annotations_find_what_is_there(dashboard: dict[str, Any], clinic: Clinic) -> None:
    values = {"wearer": "anna"}
    for variable in dashboard.get("templating", {}).get("list", []):
        if variable["type"] == "query":
            assert variable["refresh"] == 2
            text = filled(variable["query"]["query"], clinic.now_s, 30 * DAY_S, 60, {})
            assert clinic.server.ask(clinic.buckets[variable["datasource"]["uid"]], text, clinic.token), text
    for annotation in dashboard.get("annotations", {}).get("list", []):
        target = annotation["target"]
        text = filled(target["query"], clinic.now_s, 30 * DAY_S, 60, values)
        rows = clinic.server.ask(clinic.buckets[target["datasource"]["uid"]], text, clinic.token)
        assert rows, text
        columns = set(rows[0]["columns"])
        assert {entry["value"] for entry in annotation["mappings"].values()} <= columns


@pytest.mark.influx
@pytest.mark.slow
def test_alert_queries_are_answered(clinic: Clinic) -> None:
    for alert in alerts():
        for query in alert.queries:
            text = filled(query, clinic.now_s, max(alert.reach_s, DAY_S), 60, {})
            assert clinic.server.ask(clinic.buckets[alert.source], text, clinic.token), text
