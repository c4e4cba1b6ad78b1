"""A running Grafana, through `grafana-client`: the only place that knows its HTTP API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from dashboards.grafana._names import FOLDER_TITLE, FOLDER_UID
from sagittal.errors import SagittalError, SettingsError

if TYPE_CHECKING:
    from grafana_client import GrafanaApi

TIMEOUT_S = 15.0
MESSAGE = "Pushed by sagittal"
ACCOUNT = "sagittal"
_YEAR_S = 365 * 86_400


class GrafanaRefused(SagittalError):
    """A running Grafana refuses, is away, or was changed meanwhile."""


class Remote:
    """One organisation of a running Grafana.

    Parameters
    ----------
    credential
        A service account's token, or a pair of user and password.

    Raises
    ------
    SettingsError
        Where the address is none, or the client is not installed.
    GrafanaRefused
        From every method: Grafana refuses or is away.
    """

    def __init__(self, url: str, credential: str | tuple[str, str]) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingsError(f"--url {url!r} is no address: use http://host:3000 or https://host")
        if credential == ("admin", "admin"):
            raise SettingsError("this Grafana has the password that everyone knows: change it, then try again")
        self.url = url.rstrip("/")
        self._api = _open(self.url, credential)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._api.client.s.close()

    def folder(self) -> dict[str, Any] | None:
        """Our folder."""
        return self._get("reading the folder", f"/folders/{FOLDER_UID}")

    def put_folder(self, *, known: bool) -> None:
        """Make our folder, or give it its title back."""
        with self._answers("writing the folder"):
            if known:
                self._api.folder.update_folder(FOLDER_UID, FOLDER_TITLE, overwrite=True)
            else:
                self._api.folder.create_folder(FOLDER_TITLE, FOLDER_UID)

    def source(self, uid: str) -> dict[str, Any] | None:
        """A data source, its secrets left out by Grafana."""
        return self._get(f"reading data source {uid}", f"/datasources/uid/{uid}")

    def put_source(self, source: dict[str, Any], *, known: bool) -> None:
        """Make or replace a data source."""
        with self._answers(f"writing data source {source['uid']}"):
            if known:
                self._api.datasource.update_datasource_by_uid(source["uid"], source)
            else:
                self._api.datasource.create_datasource(source)

    def dashboard(self, uid: str) -> dict[str, Any] | None:
        """A dashboard with its `meta`."""
        return self._get(f"reading dashboard {uid}", f"/dashboards/uid/{uid}")

    def last_message(self, uid: str) -> str:
        """What was said with the newest version of a dashboard."""
        found = self._get(f"reading versions of {uid}", f"/dashboards/uid/{uid}/versions?limit=1")
        versions = (found or {}).get("versions", [])
        return str(versions[0].get("message", "")) if versions else ""

    def put_dashboard(self, dashboard: dict[str, Any], version: int | None) -> None:
        """Write a dashboard over the version that was read; None for a new one."""
        body = {"id": None, **dashboard} if version is None else {**dashboard, "version": version}
        with self._answers(f"writing dashboard {dashboard['uid']}"):
            self._api.dashboard.update_dashboard(
                {"dashboard": body, "folderUid": FOLDER_UID, "overwrite": False, "message": MESSAGE}
            )

    def rule(self, uid: str) -> dict[str, Any] | None:
        """An alert rule."""
        return self._get(f"reading alert {uid}", f"/v1/provisioning/alert-rules/{uid}")

    def put_rule(self, rule: dict[str, Any], *, known: bool) -> None:
        """Make or replace an alert rule; people may change it in Grafana afterwards."""
        with self._answers(f"writing alert {rule['uid']}"):
            if known:
                self._api.alertingprovisioning.update_alertrule(rule["uid"], rule, disable_provenance=True)
            else:
                self._api.alertingprovisioning.create_alertrule(rule, disable_provenance=True)

    def service_token(self) -> str:
        """A new token, good for a year, of our own service account, which is made where absent."""
        with self._answers("making a service account"):
            found = self._api.serviceaccount.search(query=ACCOUNT, page=1)[0]["serviceAccounts"]
            mine = [one for one in found if one["name"] == ACCOUNT]
            account = mine[0] if mine else self._api.serviceaccount.create({"name": ACCOUNT, "role": "Admin"})
            numbers = {str(one["name"]) for one in self._api.serviceaccount.get_tokens(account["id"])}
            name = next(f"{ACCOUNT}-{n}" for n in range(1, 10_000) if f"{ACCOUNT}-{n}" not in numbers)
            made = self._api.serviceaccount.create_token(account["id"], {"name": name, "secondsToLive": _YEAR_S})
            return str(made["key"])

    def _get(self, doing: str, path: str) -> dict[str, Any] | None:
        from grafana_client.client import GrafanaClientError

        with self._answers(doing):
            try:
                found: dict[str, Any] = self._api.client.GET(path)
            except GrafanaClientError as error:
                if error.status_code == 404:
                    return None
                raise
        return found

    @contextmanager
    def _answers(self, doing: str) -> Iterator[None]:
        from grafana_client.client import GrafanaException
        from niquests.exceptions import RequestException

        try:
            yield
        except GrafanaException as error:
            raise GrafanaRefused(f"Grafana at {self.url}, {doing}: {_meaning(error)}") from None
        except (RequestException, OSError, ValueError) as error:
            short = " ".join(str(error).split())[:200] or type(error).__name__
            raise GrafanaRefused(f"no Grafana answers at {self.url}, {doing}: {short}") from None


def _meaning(error: Any) -> str:
    said = error.response.get("message", "") if isinstance(error.response, dict) else ""
    match error.status_code:
        case 0:
            return "no answer in time: try again"
        case 401:
            return "the token or password is not known there: make a service account's token, or check the file"
        case 403:
            return f"not permitted ({said}): the account needs the role Admin in this organisation"
        case 409 | 412:
            return f"changed by someone else meanwhile ({said}): look with `diff`, then push again"
    return f"{error.status_code}, {said or error.message}"


def _open(url: str, credential: str | tuple[str, str]) -> GrafanaApi:
    try:
        from grafana_client import GrafanaApi, TokenAuth
    except ImportError:
        raise SettingsError("the client of Grafana is missing: pip install 'sagittal[grafana]'") from None
    auth = TokenAuth(credential) if isinstance(credential, str) else credential
    return GrafanaApi.from_url(url, credential=auth, timeout=TIMEOUT_S)
