"""A real InfluxDB that can be killed and started again, a stub that answers as told, and results to write."""

from __future__ import annotations

import json
import resource
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from sagittal.settings import Influx, Settings
from tests.conftest import free_port, stop, wait_for_port

ADMIN = "operator-token-of-the-test"
ORG = "clinic"


class InfluxServer:
    """One InfluxDB 2 on loopback with folders of its own."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._binary = binary
        self.process: subprocess.Popen[bytes] | None = None
        try:
            self.start()
            about = {"username": "op", "password": "op-op-op-op", "org": ORG, "bucket": "x", "token": ADMIN}
            self.call("POST", "/api/v2/setup", about)
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        paths = [f"--{one}-path={self.folder / one}" for one in ("bolt", "sqlite", "engine")]
        self.process = subprocess.Popen(
            [self._binary, f"--http-bind-address=127.0.0.1:{self.port}", "--reporting-disabled", *paths],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self.process)
        until(self.healthy)

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def limit_files(self, most: int | None) -> None:
        """Let no file grow beyond so many bytes, as on a full disk; None lifts the limit."""
        assert self.process is not None
        _, hard = resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (hard if most is None else most, hard))

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process)
            self.process = None

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Ask the HTTP API as the operator."""
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(body).encode(), {"Authorization": f"Token {ADMIN}"}, method=method
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or b"null")

    def ask(self, bucket: str, text: str, token: str = ADMIN) -> list[dict[str, Any]]:
        """The series that an InfluxQL statement finds."""
        where = urllib.parse.urlencode({"db": bucket, "epoch": "ns", "q": text})
        request = urllib.request.Request(f"{self.url}/query?{where}", headers={"Authorization": f"Token {token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            result = json.loads(answer.read())["results"][0]
        assert "error" not in result, result
        found: list[dict[str, Any]] = result.get("series", [])
        return found

    def rows(self, bucket: str, text: str) -> list[dict[str, Any]]:
        """Every row as a dictionary, tags included, absent values left out."""
        return [
            {**one.get("tags", {}), **{k: v for k, v in zip(one["columns"], row, strict=True) if v is not None}}
            for one in self.ask(bucket, text)
            for row in one["values"]
        ]


class Stub:
    """Answers `/api/v2/write` as `answer(body)` says: a status, headers and a JSON body; keeps what it accepted."""

    def __init__(self, answer: Callable[[list[str]], tuple[int, dict[str, str], object]]) -> None:
        stub = self
        self.accepted: list[str] = []
        self.requests = 0

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                stub.requests += 1
                lines = [line for line in body.split("\n") if line]
                status, headers, said = answer(lines)
                if status in (204, 422):
                    stub.accepted += lines
                text = b"" if status == 204 else json.dumps(said).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

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


def settings_for(url: str, folder: Path, name: str = "s", **influx: Any) -> Settings:
    """Settings with an InfluxDB and buckets of a test's own."""
    return Settings(
        data_dir=folder,
        influx=Influx(
            url=url,
            org=ORG,
            bucket_detail=f"{name}_detail",
            bucket_minutes=f"{name}_minutes",
            bucket_days=f"{name}_days",
            **influx,
        ),
    )


def until(true: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Return once something holds."""
    deadline = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
