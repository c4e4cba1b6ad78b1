"""The three data sources, one a bucket, InfluxQL with a token that can only read."""

from __future__ import annotations

from typing import Any

from dashboards.grafana._names import BUCKETS, DAYS, DETAIL, MINUTES

TITLES = {DETAIL: "Sagittal seconds", MINUTES: "Sagittal minutes", DAYS: "Sagittal days"}
_EVERY = {DETAIL: "1s", MINUTES: "1m", DAYS: "1d"}


def source(uid: str, url: str, token: str, buckets: dict[str, str] = BUCKETS) -> dict[str, Any]:
    """A data source as Grafana's API takes it."""
    return {
        "uid": uid,
        "name": TITLES[uid],
        "type": "influxdb",
        "access": "proxy",
        "url": url,
        "isDefault": uid == MINUTES,
        "jsonData": {
            "version": "InfluxQL",
            "dbName": buckets[uid],
            "httpMode": "GET",
            "httpHeaderName1": "Authorization",
            "timeInterval": _EVERY[uid],
        },
        "secureJsonData": {"httpHeaderValue1": f"Token {token}"},
    }


def source_file() -> dict[str, Any]:
    """The same as a file that Grafana reads when it starts; address and token come from its environment."""
    token = "$__file{/run/secrets/influx_token}"  # noqa: S105  # the name of a file
    made = [source(uid, "$SAGITTAL_INFLUX_URL", token) for uid in BUCKETS]
    return {"apiVersion": 1, "prune": True, "datasources": [{**one, "orgId": 1, "editable": False} for one in made]}
