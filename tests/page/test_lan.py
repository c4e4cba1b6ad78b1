"""The page on a network: only with TLS, only for paired phones, and with an authority that can't be misused."""

from __future__ import annotations

import io
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from rich.console import Console

from dashboards.page import Access, Role, certificates
from dashboards.page._access import AccessRefused
from dashboards.page._certificate import LEAF_DAYS
from sagittal.cli._pairing import show_pairing
from sagittal.errors import SettingsError
from sagittal.settings import Settings, Wearer
from tests.conftest import free_port, stop, wait_for_port

NAMES = ["192.168.1.5", "attic.local", "127.0.0.1", "localhost"]


def test_the_leaf_is_short_lived_and_kept_until_it_must_change(tmp_path: Path) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    made = certificates(tmp_path, NAMES, now)
    first = made.leaf.read_bytes()
    leaf = x509.load_pem_x509_certificate(first)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=LEAF_DAYS)
    assert certificates(tmp_path, NAMES, now + timedelta(days=300)).leaf.read_bytes() == first
    assert certificates(tmp_path, NAMES, now + timedelta(days=380)).leaf.read_bytes() != first
    other = certificates(tmp_path, ["192.168.1.6", *NAMES[1:]], now)
    assert other.leaf.read_bytes() != first
    assert other.fingerprint == made.fingerprint


def test_keys_are_for_their_owner_only(tmp_path: Path) -> None:
    certificates(tmp_path / "tls", NAMES)
    for path in (tmp_path / "tls").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert (tmp_path / "tls").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["8.8.8.8", "example.com", "local", "evil.local.example"])
def test_nothing_public_is_certified(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingsError, match="private"):
        certificates(tmp_path, [name])


def test_the_authority_is_bound_to_private_names(tmp_path: Path) -> None:
    made = certificates(tmp_path, NAMES)
    ca = x509.load_pem_x509_certificate(made.ca.read_bytes())
    limits = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    assert x509.DNSName("local") in (limits.value.permitted_subtrees or [])


@pytest.fixture
def lan(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    port = free_port()
    environment = {"SAGITTAL_DATA_DIR": str(tmp_path), "SAGITTAL_WEARERS": '[{"id":"w1"},{"id":"w2"}]'}
    process = subprocess.Popen(
        [sys.executable, "-m", "sagittal.cli", "page", "--lan", "--port", str(port)],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
    )
    wait_for_port(port, process)
    yield f"https://127.0.0.1:{port}", tmp_path
    stop(process)


def test_a_phone_installs_the_authority_pairs_and_sees_its_own_wearer(lan: tuple[str, Path]) -> None:
    url, folder = lan
    with httpx.Client(base_url=url, verify=False, headers={"origin": url}) as client:
        assert "Certificate Trust Settings" in client.get("/install").text
        authority = client.get("/ca.crt")
        assert authority.headers["content-type"].startswith("application/x-x509-ca-cert")
        assert client.get("/w/w1").status_code == 401
        assert client.get("/api/v1/wearers").status_code == 401
    context = ssl.create_default_context(cadata=authority.text)
    book = Access(folder / "access.sqlite")
    book.add_actor("w1", Role.WEARER, "w1")
    code = book.pairing_code("w1")
    book.close()
    with httpx.Client(base_url=url, verify=context, headers={"origin": url}) as client:
        answer = client.post("/pair", data={"code": code})
        assert answer.status_code == 303
        assert "Secure" in answer.headers["set-cookie"]
        assert client.get("/w/w1").status_code == 200
        assert client.get("/w/w2").status_code == 404
    with pytest.raises(httpx.ConnectError), httpx.Client(base_url=url) as client:
        client.get("/install")
    with httpx.Client(base_url=url.replace("https", "http")) as client, pytest.raises(httpx.HTTPError):
        client.get("/install")


def test_the_terminal_shows_a_code_for_every_wearer_that_opens_once(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, wearers=[Wearer(id="w1"), Wearer(id="w2")])
    console = Console(file=io.StringIO(), width=200, record=True)
    assert show_pairing(settings, console) is False
    said = console.export_text()
    urls = re.findall(r"https://\S+/pair#\S+", said)
    assert len(urls) == 2
    assert "▄" in said
    book = Access(tmp_path / "access.sqlite")
    for name, url in zip(("w1", "w2"), urls, strict=True):
        viewer = book.viewer(book.pair(url.partition("#")[2], "test"), "session")
        assert viewer is not None
        assert viewer.wearer == name
        with pytest.raises(AccessRefused):
            book.pair(url.partition("#")[2], "test")
    book.close()


def test_without_lan_nothing_listens_off_loopback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sagittal.cli", "page", "--host", "0.0.0.0"],
        env=os.environ | {"SAGITTAL_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "without a log-in" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_said(tmp_path: Path, lan: tuple[str, Path]) -> None:
    port = lan[0].rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "sagittal.cli", "page", "--port", port],
        env=os.environ | {"SAGITTAL_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert "belongs to another program" in done.stderr
