"""Buckets and tokens of one clinic in an InfluxDB 2, made with its operator's token."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from analytics.sinks._lines import DETAIL
from analytics.sinks.influx import buckets_of, open_server
from sagittal.errors import SagittalError, SettingsError, SinkRefused
from sagittal.settings import Settings

if TYPE_CHECKING:
    from analytics.sinks._server import Server

DETAIL_DAYS = 90
_DAY_S = 86_400
ROLES = {"worker": ("read", "write"), "grafana": ("read",)}
"""Whose token may do what, each with the three buckets and nothing else."""


@dataclass(frozen=True, slots=True)
class Made:
    """One step of `initialise`, in words."""

    what: str
    state: str


def initialise(settings: Settings, admin_token: str, folder: Path) -> list[Made]:
    """Make what is missing: organisation, buckets, a token a role as `<role>.token` in the folder; may be repeated.

    Raises
    ------
    SettingsError
        Where the settings name no server, or the folder can't be written.
    SinkRefused, SinkUnavailable
        Where the server refuses the operator's token, or is away.
    """
    influx = settings.influx
    if not influx.url:
        raise SettingsError("influx.url is not set: name the InfluxDB in the settings or as SAGITTAL_INFLUX__URL")
    server = open_server(influx.url, influx.org, admin_token)
    try:
        org, made = _organisation(server, influx.org)
        ids: list[str] = []
        for kind, bucket in buckets_of(settings).items():
            bucket_id, step = _bucket(server, org, bucket, DETAIL_DAYS * _DAY_S if kind == DETAIL else 0)
            ids.append(bucket_id)
            made += step
        for role in ROLES:
            made.append(_token(server, settings, org, ids, role, folder / f"{role}.token"))
        return made
    finally:
        server.close()


def _organisation(server: Server, name: str) -> tuple[str, list[Made]]:
    found = _named(server, "orgs", org=name)
    if found:
        return str(found[0]["id"]), [Made(f"organisation {name}", "is there")]
    return str(server.call("POST", "/api/v2/orgs", {"name": name})["id"]), [Made(f"organisation {name}", "made")]


def _bucket(server: Server, org: str, name: str, keep_s: int) -> tuple[str, list[Made]]:
    kept = f"keeps {keep_s // _DAY_S} days" if keep_s else "keeps for good"
    rules = [{"type": "expire", "everySeconds": keep_s}] if keep_s else []
    found = _named(server, "buckets", orgID=org, name=name)
    if not found:
        made = server.call("POST", "/api/v2/buckets", {"orgID": org, "name": name, "retentionRules": rules})
        return str(made["id"]), [Made(f"bucket {name}", f"made, {kept}")]
    has = sum(int(rule.get("everySeconds", 0)) for rule in found[0].get("retentionRules", []))
    if has == keep_s:
        return str(found[0]["id"]), [Made(f"bucket {name}", f"is there, {kept}")]
    differs = f"is there but keeps {f'{has // _DAY_S} days' if has else 'for good'}; left so"
    return str(found[0]["id"]), [Made(f"bucket {name}", differs)]


def _named(server: Server, kind: str, **by: str) -> list[dict[str, Any]]:
    """What the server has of a name; it answers 404 where it has none."""
    try:
        found: list[dict[str, Any]] = server.call("GET", f"/api/v2/{kind}?{urlencode(by)}").get(kind, [])
    except SinkRefused as error:
        if " 404," not in str(error):
            raise
        return []
    return found


def _token(server: Server, settings: Settings, org: str, buckets: list[str], role: str, path: Path) -> Made:
    """A token that works stays; else a new one, and the old one is deleted, since 2.9 shows none a second time."""
    what = f"token of {role}"
    if path.is_file() and _works(settings, path.read_text(encoding="utf-8").strip()):
        return Made(what, f"works, in {path}")
    described = f"sagittal {role} {settings.influx.bucket_detail}"
    found = server.call("GET", f"/api/v2/authorizations?{urlencode({'orgID': org})}").get("authorizations", [])
    for old in [one for one in found if one.get("description") == described]:
        server.call("DELETE", f"/api/v2/authorizations/{old['id']}")
    rights = [
        {"action": action, "resource": {"type": "buckets", "id": bucket, "orgID": org}}
        for bucket in dict.fromkeys(buckets)
        for action in ROLES[role]
    ]
    body = {"orgID": org, "description": described, "permissions": rights}
    token = str(server.call("POST", "/api/v2/authorizations", body)["token"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(token + "\n")
        new.replace(path)
    except OSError as error:
        raise SettingsError(f"{path} can't be written ({error.strerror}): name another --token-dir") from None
    return Made(what, f"made, in {path}; may {' and '.join(ROLES[role])} the three buckets")


def _works(settings: Settings, token: str) -> bool:
    server = open_server(settings.influx.url, settings.influx.org, token)
    try:
        for bucket in set(buckets_of(settings).values()):
            server.query(bucket, "SHOW MEASUREMENTS LIMIT 1")
    except SagittalError:
        return False
    finally:
        server.close()
    return True
