"""docker-compose.yml without a container engine: each service's own command, environment and health check as processes.

What an image itself would do is done here instead, and only that: InfluxDB's first set-up from its environment, the
names of hosts (all on loopback, on free ports), the paths of mounts, and `nc`.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import free_port, stop, wait_for_port

ROOT = Path(__file__).parents[2]
_MOUNTED = (
    "/run/secrets",
    "/secrets",
    "/data",
    "/mosquitto",
    "/var/lib/influxdb2",
    "/etc/influxdb2",
    "/etc/grafana/provisioning",
    "/etc/sagittal",
    "/usr/local/bin/broker.sh",
)


def compose() -> dict[str, Any]:
    """The file, variables at their defaults."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


class Walk:
    """The services as processes, in folders of their own."""

    def __init__(self, folder: Path, influxd: str, mosquitto: str) -> None:
        self.folder = folder
        self.services: dict[str, dict[str, Any]] = compose()["services"]
        self.ports = {"broker": free_port(), "influxdb": free_port(), "page": free_port()}
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self._influxd = influxd
        self._path = os.pathsep.join(
            [str(ROOT / "docker"), str(Path(sys.executable).parent), str(Path(mosquitto).parent), os.environ["PATH"]]
        )
        for name, service in self.services.items():
            self._mount(name, service)

    def environment(self, name: str) -> dict[str, str]:
        """What the service is given, places as they are here."""
        given = self.services[name].get("environment", {})
        plain = {key: os.environ[key] for key in ("HOME", "PYTHONPATH", "LANG") if key in os.environ}
        return plain | {"PATH": self._path} | {key: self.here(name, str(value)) for key, value in given.items()}

    def run(self, name: str) -> None:
        """A service that ends by itself."""
        done = subprocess.run(
            self._command(name), env=self.environment(name), capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"

    def start(self, name: str, port: int | None = None) -> None:
        """A service that stays."""
        log = (self.folder / f"{name}.log").open("wb")
        self.running[name] = subprocess.Popen(self._command(name), env=self.environment(name), stdout=log, stderr=log)
        log.close()
        if port is not None:
            wait_for_port(port, self.running[name], 30)

    def healthy(self, name: str, timeout_s: float = 60.0) -> None:
        """Return once the service's own health check says so."""
        deadline = time.monotonic() + timeout_s
        while (said := self.check(name)) is not None:
            assert name not in self.running or self.running[name].poll() is None, self.log(name)
            assert time.monotonic() < deadline, f"{name}: {said}; {self.log(name)}"
            time.sleep(0.5)

    def check(self, name: str) -> str | None:
        """The health check once; None where it is well."""
        test = [self.here(name, word) for word in self.services[name]["healthcheck"]["test"][1:]]
        if test[0] == "nc":
            with socket.socket() as probe:
                return None if probe.connect_ex((test[2], int(test[3]))) == 0 else "does not listen"
        done = subprocess.run(test, env=self.environment(name), capture_output=True, text=True, timeout=30)
        return None if done.returncode == 0 else f"{shlex.join(test)}: {done.stdout}{done.stderr}"

    def set_up_influxdb(self) -> None:
        """What the image does at its first start, from the same variables."""
        env = self.environment("influxdb")
        assert env["DOCKER_INFLUXDB_INIT_MODE"] == "setup"
        body = {
            "username": env["DOCKER_INFLUXDB_INIT_USERNAME"],
            "password": Path(env["DOCKER_INFLUXDB_INIT_PASSWORD_FILE"]).read_text().strip(),
            "token": Path(env["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN_FILE"]).read_text().strip(),
            "org": env["DOCKER_INFLUXDB_INIT_ORG"],
            "bucket": env["DOCKER_INFLUXDB_INIT_BUCKET"],
        }
        request = urllib.request.Request(
            f"{self.url('influxdb')}/api/v2/setup", json.dumps(body).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 201

    def url(self, name: str) -> str:
        """Where a service answers here."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def log(self, name: str) -> str:
        """The last of what a service said."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-1500:] if path.is_file() else ""

    def end(self, name: str) -> None:
        """Stop one service."""
        stop(self.running.pop(name))

    def close(self) -> None:
        """Stop what still runs, the newest first."""
        for name in reversed(list(self.running)):
            self.end(name)

    def here(self, name: str, text: str) -> str:
        """A text with its hosts, ports and mounted paths as they are here."""
        text = text.replace("//broker:1883", f"//127.0.0.1:{self.ports['broker']}")
        text = re.sub(r"//(influxdb|127\.0\.0\.1):8086", f"//127.0.0.1:{self.ports['influxdb']}", text)
        text = re.sub(r"^8420$", str(self.ports["page"]), text)
        text = re.sub(r"^1883$", str(self.ports["broker"]), text)
        for path in _MOUNTED:
            text = re.sub(rf"(?<![\w.]){path}\b", f"{self._root(name)}{path}", text)
        return text

    def _command(self, name: str) -> list[str]:
        if name == "influxdb":
            data = f"{self._root(name)}/var/lib/influxdb2"
            paths = [f"--{one}-path={data}/{one}" for one in ("bolt", "sqlite", "engine")]
            return [self._influxd, f"--http-bind-address=127.0.0.1:{self.ports['influxdb']}", *paths]
        return [self.here(name, word) for word in self.services[name]["command"]]

    def _root(self, name: str) -> Path:
        return self.folder / "roots" / name

    def _mount(self, name: str, service: dict[str, Any]) -> None:
        for mount in service.get("volumes", []):
            source, target = mount.split(":")[:2]
            place = Path(f"{self._root(name)}{target}")
            place.parent.mkdir(parents=True, exist_ok=True)
            if source.startswith("./") and (ROOT / source).is_file():
                place.write_text(self._text(name, (ROOT / source).read_text(encoding="utf-8")), encoding="utf-8")
                place.chmod(0o755)
            elif source.startswith("./"):
                place.symlink_to((ROOT / source).resolve())
            elif not source.startswith("/"):
                volume = self.folder / "volumes" / source
                volume.mkdir(parents=True, exist_ok=True)
                place.symlink_to(volume)

    def _text(self, name: str, text: str) -> str:
        text = text.replace("listener 1883", f"listener {self.ports['broker']} 127.0.0.1")
        if os.getuid() == 0 and "password_file" in text:
            text += "user root\n"  # Mosquitto would leave root for a user who may not enter the test's folder.
        return self.here(name, text)
