"""docker-compose.yml: valid, without a known password, and walked until a demo wearer can be seen."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana._build import dashboards
from dashboards.grafana._names import BUCKETS
from tests.compose.walk import ROOT, Walk, compose
from tests.grafana.asking import filled, panels
from tests.sinks.servers import until


def test_it_is_a_compose_file() -> None:
    words = ["--builtin-schema", "vendor.compose-spec", str(ROOT / "docker-compose.yml")]
    done = subprocess.run([sys.executable, "-m", "check_jsonschema", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_docker_itself_can_read_it() -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True).returncode:
        pytest.skip("docker has no `compose` here")
    done = subprocess.run(
        [docker, "compose", "--profile", "demo", "config", "-q"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_every_image_is_pinned_and_nothing_runs_as_root() -> None:
    for name, service in compose()["services"].items():
        image = service["image"]
        if image == "sagittal:local":
            assert service["cap_drop"] == ["ALL"]
            assert service["read_only"]
            continue
        assert re.search(r":\d+\.\d+\.\d+$", image), name
        assert service["user"].split(":")[0] not in ("", "0", "root")
    assert re.search(r"^USER 10001", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert not re.search(r"^FROM \S+:(latest|\d+)\s", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_no_secret_stands_in_a_file_and_no_port_is_open_to_the_network() -> None:
    for service in compose()["services"].values():
        for key, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN", key):
                assert str(value).startswith("/run/secrets/"), key
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_every_line_of_the_example_is_a_variable_of_the_file() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    for name, default in re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE):
        assert f"${{{name}:-{default}}}" in text


def test_what_the_image_copies_is_there() -> None:
    for line in re.findall(r"^COPY (?!--from)(.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE):
        assert all((ROOT / source).exists() for source in line.split()[:-1]), line


@pytest.fixture(scope="module")
def walk(influxd: str, mosquitto_binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The whole of `docker compose --profile demo up`, in the order in which the services wait for each other."""
    made = Walk(tmp_path_factory.mktemp("compose"), influxd, mosquitto_binary)
    try:
        for _ in range(2):
            made.run("secrets")
        made.start("broker", made.ports["broker"])
        made.healthy("broker")
        made.start("influxdb", made.ports["influxdb"])
        made.healthy("influxdb")
        made.set_up_influxdb()
        for _ in range(2):
            made.run("tokens")
        for name in ("worker", "simulator"):
            made.start(name)
        made.healthy("worker")
        made.healthy("simulator")
        yield made
    finally:
        made.close()


def ask(walk: Walk, bucket: str, text: str) -> list[dict[str, Any]]:
    """What Grafana would be answered: with the token that it is given, where it is told to ask."""
    token = Path(walk.here("grafana", "/run/secrets/influx_token")).read_text().strip()
    where = urllib.parse.urlencode({"db": bucket, "epoch": "ms", "q": text})
    url = walk.environment("grafana")["SAGITTAL_INFLUX_URL"]
    request = urllib.request.Request(f"{url}/query?{where}", headers={"Authorization": f"Token {token}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["results"][0].get("series", [])
    return found


@pytest.mark.influx
@pytest.mark.mosquitto
@pytest.mark.slow
def test_a_demo_wearer_is_seen_with_no_further_step(walk: Walk) -> None:
    until(lambda: bool(ask(walk, "sagittal_detail", 'SELECT "behind_s" FROM "device" WHERE "wearer" = \'demo\'')), 60)
    text = 'SELECT count("confidence") FROM "posture" WHERE "wearer" = \'demo\''
    until(lambda: any(one["values"][0][1] >= 5 for one in ask(walk, "sagittal_detail", text)), 60)
    now_s = int(ask(walk, "sagittal_detail", 'SELECT last("behind_s") FROM "device"')[0]["values"][0][0]) // 1000 + 60
    at_once = {"Behind", "Streaming", "Outbox", "Lag", "Waiting", "InfluxDB"}
    for name, titles in (("service", at_once), ("devices", {"Wearables", "State", "Rate", "Latency"})):
        for panel in panels(dashboards()[name]):
            for target in panel.get("targets", [])[:1]:
                if panel["title"] in titles:
                    filled_in = filled(target["query"], now_s, 3600, 10, {"wearer": "demo"})
                    assert ask(walk, target["datasource"]["uid"], filled_in), panel["title"]


@pytest.mark.influx
@pytest.mark.mosquitto
@pytest.mark.slow
def test_what_grafana_reads_when_it_starts_is_there(walk: Walk) -> None:
    env = walk.environment("grafana")
    assert len(Path(env["GF_SECURITY_ADMIN_PASSWORD__FILE"]).read_text().strip()) >= 32
    assert Path(env["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]).is_file()
    provisioning = Path(walk.here("grafana", "/etc/grafana/provisioning"))
    sources = yaml.safe_load((provisioning / "datasources" / "sagittal.yaml").read_text())["datasources"]
    assert {one["uid"] for one in sources} == set(BUCKETS)
    for one in sources:
        assert env[one["url"].removeprefix("$")].startswith("http://")
        (file,) = re.findall(r"\$__file\{(.*)\}", one["secureJsonData"]["httpHeaderValue1"])
        assert Path(walk.here("grafana", file)).read_text().strip()
        ask(walk, one["jsonData"]["dbName"], "SHOW MEASUREMENTS")
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "sagittal.yaml").read_text())["providers"]
    assert len(list(Path(walk.here("grafana", provider["options"]["path"])).glob("*.json"))) == len(dashboards())


@pytest.mark.influx
@pytest.mark.mosquitto
@pytest.mark.slow
def test_the_page_and_the_end_of_a_worker(walk: Walk) -> None:
    walk.start("page")
    walk.running["page"].poll()
    until(lambda: walk.check("page") is None or walk.running["page"].poll() is not None, 40)
    if walk.running["page"].poll() is not None:
        assert "no address other than loopback" in walk.log("page")
    walk.end("worker")
    assert "offline" in str(walk.check("worker"))
    walk.start("worker")
    walk.healthy("worker")
