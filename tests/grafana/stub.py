"""A stand-in that answers as Grafana's documented HTTP API does, remembers what it is told, and checks who asks.

https://grafana.com/docs/grafana/latest/developer-resources/api-reference/http-api/: folder, data source, dashboard,
alerting provisioning, service account.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Answer = tuple[int, Any]
ADMIN, VIEWER = "glsa_admin", "glsa_viewer"


class GrafanaStub:
    """One organisation in memory; `requests` holds (method, path, body) of all that was asked."""

    def __init__(self) -> None:
        self.folders: dict[str, Json] = {}
        self.sources: dict[str, Json] = {}
        self.dashboards: dict[str, Json] = {}
        self.messages: dict[str, list[str]] = {}
        self.moved: set[str] = set()
        self.rules: dict[str, Json] = {}
        self.accounts: list[Json] = []
        self.tokens: dict[str, str] = {ADMIN: "Admin", VIEWER: "Viewer"}
        self.passwords = {"head": "a-long-password"}
        self.requests: list[tuple[str, str, Json | None]] = []
        self.failing: Answer | None = None
        self._lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length) or b"null")
                with stub._lock:
                    status, said = stub.answer(self.command, self.path, body, self.headers)
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815  # the names that the server calls

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def writes(self) -> list[tuple[str, str]]:
        """What was asked to be changed."""
        return [(method, path) for method, path, _ in self.requests if method != "GET"]

    def edit(self, uid: str, title: str) -> None:
        """A person changes a dashboard in Grafana."""
        dashboard = self.dashboards[uid]["dashboard"]
        dashboard.update(title=title, version=dashboard["version"] + 1)
        self.messages[uid].append("")

    def answer(self, method: str, path: str, body: Json | None, headers: Any) -> Answer:
        self.requests.append((method, path, copy.deepcopy(body)))
        if self.failing is not None:
            return self.failing
        role = self._role(headers.get("Authorization", ""))
        if role is None:
            return 401, {"message": "Invalid API key"}
        if role != "Admin" and (method != "GET" or "/datasources" in path or "/serviceaccounts" in path):
            return 403, {"message": "You'll need additional permissions to perform this action"}
        return self._route(method, path.split("?")[0].removeprefix("/api"), body or {}, headers)

    def _role(self, header: str) -> str | None:
        kind, _, value = header.partition(" ")
        if kind == "Bearer":
            return self.tokens.get(value)
        if kind == "Basic":
            user, _, password = base64.b64decode(value).decode().partition(":")
            return "Admin" if self.passwords.get(user) == password else None
        return None

    def _route(self, method: str, path: str, body: Json, headers: Any) -> Answer:
        for name, handler in (
            (r"/folders(?:/([\w-]+))?", self._folder),
            (r"/datasources(?:/uid/([\w-]+))?", self._source),
            (r"/dashboards/uid/([\w-]+)/versions", self._versions),
            (r"/dashboards/(?:uid/([\w-]+)|db)", self._dashboard),
            (r"/v1/provisioning/alert-rules(?:/([\w-]+))?", self._rule),
            (r"/serviceaccounts/(?:search|(\d+)/tokens)?", self._account),
        ):
            if found := re.fullmatch(name, path):
                if "alert-rules" in path and method != "GET" and headers.get("X-Disable-Provenance") != "true":
                    body = {**body, "provenance": "api"}
                return handler(method, found[1], body)
        return 404, {"message": f"Not found: {path}"}

    def _folder(self, method: str, uid: str | None, body: Json) -> Answer:
        if method == "POST":
            if body["uid"] in self.folders:
                return 412, {"message": "The folder has been changed by someone else"}
            self.folders[body["uid"]] = {"uid": body["uid"], "title": body["title"], "version": 1, "id": 7}
            return 200, self.folders[body["uid"]]
        if uid not in self.folders:
            return 404, {"message": "Folder not found"}
        if method == "PUT":
            self.folders[uid].update(title=body["title"], version=self.folders[uid]["version"] + 1)
        return 200, self.folders[uid]

    def _source(self, method: str, uid: str | None, body: Json) -> Answer:
        if method == "POST":
            if body["uid"] in self.sources or any(one["name"] == body["name"] for one in self.sources.values()):
                return 409, {"message": "data source with the same name already exists"}
            uid = body["uid"]
        elif uid not in self.sources:
            return 404, {"message": "Data source not found"}
        if method == "GET":
            return 200, self.sources[str(uid)]
        kept = {key: value for key, value in body.items() if key != "secureJsonData"}
        secrets = dict.fromkeys(body.get("secureJsonData", {}), True)
        self.sources[str(uid)] = {**kept, "id": 3, "orgId": 1, "readOnly": False, "secureJsonFields": secrets}
        return 200, {"datasource": self.sources[str(uid)], "message": "Datasource added"}

    def _versions(self, _method: str, uid: str, _body: Json) -> Answer:
        if uid not in self.dashboards:
            return 404, {"message": "Dashboard not found"}
        found = [{"version": n, "message": said} for n, said in enumerate(self.messages[uid], 1)]
        return 200, {"continueToken": "", "versions": found[::-1]}

    def _dashboard(self, method: str, uid: str | None, body: Json) -> Answer:
        if method == "GET":
            if uid not in self.dashboards:
                return 404, {"message": "Dashboard not found"}
            return 200, self.dashboards[uid]
        made = dict(body["dashboard"])
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        there = self.dashboards.get(made["uid"])
        if there is None and made.get("id") is not None:
            return 404, {"message": "Dashboard not found"}
        if made["uid"] in self.moved:
            self.edit(made["uid"], "Moved on")
        if there is not None and not body.get("overwrite") and made.get("version") != there["dashboard"]["version"]:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        version = 1 if there is None else there["dashboard"]["version"] + 1
        made.update(id=len(self.dashboards) + 1 if there is None else there["dashboard"]["id"], version=version)
        self.dashboards[made["uid"]] = {
            "dashboard": made, "meta": {"folderUid": body["folderUid"], "provisioned": False, "version": version}
        }  # fmt: skip
        self.messages.setdefault(made["uid"], []).append(body.get("message", ""))
        return 200, {"uid": made["uid"], "version": version, "status": "success"}

    def _rule(self, method: str, uid: str | None, body: Json) -> Answer:
        if method == "POST":
            if body["uid"] in self.rules:
                return 409, {"message": "a conflicting alert rule is found"}
            uid = body["uid"]
        elif uid not in self.rules:
            return 404, {}
        if method == "GET":
            return 200, self.rules[str(uid)]
        if body["folderUID"] not in self.folders:
            return 400, {"message": "invalid alert rule: folder does not exist"}
        if any(one["datasourceUid"] not in (*self.sources, "__expr__") for one in body["data"]):
            return 400, {"message": "invalid alert query: data source not found"}
        self.rules[str(uid)] = {**copy.deepcopy(body), "id": 5, "orgID": 1, "updated": "2026-01-01T00:00:00Z"}
        return 201 if method == "POST" else 200, self.rules[str(uid)]

    def _account(self, method: str, id_: str | None, body: Json) -> Answer:
        if id_ is not None and method == "POST":
            token = f"glsa_made_{len(self.tokens)}"
            self.tokens[token] = self.accounts[int(id_) - 1]["role"]
            self.accounts[int(id_) - 1]["tokens"].append({"name": body["name"]})
            return 200, {"id": 1, "name": body["name"], "key": token}
        if id_ is not None:
            return 200, self.accounts[int(id_) - 1]["tokens"]
        if method == "POST":
            self.accounts.append({"id": len(self.accounts) + 1, "tokens": [], **body})
            return 201, self.accounts[-1]
        return 200, {"totalCount": len(self.accounts), "serviceAccounts": self.accounts, "page": 1, "perPage": 1000}
