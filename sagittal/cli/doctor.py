"""`sagittal doctor`: what is wrong, and what to do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from sagittal import broker as own_broker
from sagittal.cli._options import BROKER, DATA_DIR, with_broker
from sagittal.cli._system import LEDGER
from sagittal.errors import SagittalError
from sagittal.mqtt import check as check_broker
from sagittal.mqtt import host_port
from sagittal.settings import Settings, settings_file

LOW_BYTES = 1_000_000_000
_BUILT_S = 1_760_000_000
"""A clock before this program was written is wrong."""
_BLUETOOTH = Path("/sys/class/bluetooth")
_RFKILL = Path("/sys/class/rfkill")


class Verdict(StrEnum):
    """How a check ended."""

    GOOD = "ok"
    HINT = "--"
    BAD = "!!"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and what to do where it is not good."""

    verdict: Verdict
    what: str
    found: str
    todo: str = ""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="doctor")(doctor)


def doctor(broker: Annotated[str | None, BROKER] = None, data_dir: Annotated[Path | None, DATA_DIR] = None) -> None:
    """Check settings, data folder, store, broker, ports, Bluetooth and clock; say what to do.

    Example:  sagittal doctor
    """
    settings = with_broker(broker, data_dir)
    bad = 0
    for finding in examine(settings):
        bad += finding.verdict is Verdict.BAD
        sys.stdout.write(f"{finding.verdict}  {finding.what}: {finding.found}\n")
        if finding.todo:
            sys.stdout.write(f"      {finding.todo}\n")
    if bad:
        raise typer.Exit(1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order in which things depend on each other."""
    checks: tuple[Callable[[Settings], Finding], ...] = (
        _settings,
        _folder,
        _store,
        _broker,
        _page,
        _bluetooth,
        _clock,
    )
    for check in checks:
        yield check(settings)
    yield from _sinks(settings)
    if settings.home.url:
        yield _home(settings)


def _settings(settings: Settings) -> Finding:
    path = settings_file()
    place = str(path) if path.is_file() else f"defaults ({path} does not exist)"
    devices = sum(len(wearer.devices) for wearer in settings.wearers)
    if not devices:
        return Finding(
            Verdict.HINT,
            "settings",
            f"{place}, no wearable named",
            f"name wearers and their devices in {path}; `sagittal run --demo` works without",
        )
    return Finding(Verdict.GOOD, "settings", f"{place}, {len(settings.wearers)} wearers, {devices} wearables")


def _folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    probe = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Finding(Verdict.BAD, "data folder", f"{folder}: {error.strerror}", "mend its rights, or set data_dir")
    if free < LOW_BYTES:
        return Finding(Verdict.BAD, "data folder", f"{folder}: {free / 1e6:.0f} MB free", "free some space")
    return Finding(Verdict.GOOD, "data folder", f"{folder}, {free / 1e9:.0f} GB free")


def _store(settings: Settings) -> Finding:
    from analytics.store import open_reader

    if not settings.store_path.is_file():
        return Finding(Verdict.HINT, "store", f"none yet at {settings.store_path}", "it is made by `sagittal run`")
    try:
        reader = open_reader(settings.store_path)
        try:
            wearers, samples = reader.wearers(), reader.samples()
        finally:
            reader.close()
    except SagittalError as error:
        return Finding(Verdict.BAD, "store", str(error))
    return Finding(Verdict.GOOD, "store", f"{settings.store_path}, {len(wearers)} wearers, {samples:,} samples")


def _broker(settings: Settings) -> Finding:
    host, port = host_port(settings)
    if own_broker.answers(host, port):
        return _handshake(settings, f"{host}:{port}")
    if settings.broker.url:
        return Finding(
            Verdict.BAD, "broker", f"nobody answers at {host}:{port}", "start it, or mend broker.url and the firewall"
        )
    try:
        program = own_broker.find_server()
    except SagittalError as error:
        return Finding(Verdict.BAD, "broker", "the own one can't be started", str(error))
    return Finding(Verdict.GOOD, "broker", f"{program}, not running; port {port} is free for it")


def _handshake(settings: Settings, place: str) -> Finding:
    try:
        check_broker(settings)
    except SagittalError as error:
        return Finding(Verdict.BAD, "broker", str(error))
    return Finding(Verdict.GOOD, "broker", f"{place} answers")


def _page(settings: Settings) -> Finding:
    host, port = settings.page.host, settings.page.port
    ledger = settings.data_dir / LEDGER
    try:
        running = "page" in json.loads(ledger.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        running = False
    if not own_broker.answers(host, port):
        return Finding(Verdict.GOOD, "page", f"port {port} is free for it")
    if running:
        return Finding(Verdict.GOOD, "page", f"http://{host}:{port}")
    return Finding(
        Verdict.BAD, "page", f"port {port} belongs to another program", "stop it, or set SAGITTAL_PAGE__PORT"
    )


def _bluetooth(_settings: Settings) -> Finding:
    try:
        import bleak  # noqa: F401  # only whether it is there
    except ImportError:
        todo = "install the extra `bridge` (pip install 'sagittal[bridge]') where wearables are to be reached"
        return Finding(Verdict.HINT, "Bluetooth", "the library bleak is absent", todo)
    if sys.platform != "linux":
        return Finding(Verdict.HINT, "Bluetooth", "the system asks for permission when a wearable is first sought")
    adapters = sorted(path.name for path in _BLUETOOTH.glob("hci*")) if _BLUETOOTH.is_dir() else []
    if not adapters:
        return Finding(
            Verdict.HINT, "Bluetooth", "no adapter", "plug one in, or run the bridge on a machine that has one"
        )
    for switch in _RFKILL.glob("*") if _RFKILL.is_dir() else []:
        if _text(switch / "type") == "bluetooth" and "1" in (_text(switch / "soft"), _text(switch / "hard")):
            return Finding(Verdict.BAD, "Bluetooth", "the radio is switched off", "run: rfkill unblock bluetooth")
    if shutil.which("bluetoothctl") is None and not Path("/run/dbus/system_bus_socket").exists():
        return Finding(Verdict.BAD, "Bluetooth", f"{adapters[0]}, but no BlueZ", "run: sudo apt-get install bluez")
    return Finding(Verdict.GOOD, "Bluetooth", f"adapter {', '.join(adapters)}")


def _clock(_settings: Settings) -> Finding:
    now = time.time()
    said = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    if now < _BUILT_S:
        return Finding(Verdict.BAD, "clock", said, "set the system's clock: times would be wrong for good")
    if shutil.which("timedatectl") is not None:
        asked = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            check=False,
            timeout=5,
        )
        if asked.stdout.strip() == "no":
            todo = "run: sudo timedatectl set-ntp true"
            return Finding(Verdict.HINT, "clock", f"{said}, not synchronised", todo)
    return Finding(Verdict.GOOD, "clock", said)


def _sinks(settings: Settings) -> Iterator[Finding]:
    from analytics.sinks import open_sinks

    try:
        sinks = open_sinks(settings)
    except SagittalError as error:
        yield Finding(Verdict.BAD, "sinks", str(error))
        return
    for sink in sinks:
        wrong = sink.check()
        sink.close()
        if not wrong:
            yield Finding(Verdict.GOOD, sink.name, "reachable")
        for problem in wrong:
            yield Finding(Verdict.BAD, sink.name, problem)


def _home(settings: Settings) -> Finding:
    url = urlsplit(settings.home.url)
    port = url.port or (8883 if url.scheme == "mqtts" else 1883)
    if (url.hostname, port) == host_port(settings):
        todo = "name the household's own broker: Home Assistant drops MQTT 3.1.1 in 2027.1, all that this one speaks"
        return Finding(Verdict.BAD, "home", f"{settings.home.url} is Sagittal's own broker", todo)
    if not own_broker.answers(url.hostname or "", port, 3.0):
        todo = "start it, or mend url in [home]"
        return Finding(Verdict.BAD, "home", f"no broker answers at {settings.home.url}", todo)
    shown = ", ".join(settings.home.wearers)
    if not shown:
        return Finding(Verdict.HINT, "home", f"{settings.home.url} answers, nobody is shown", "name wearers in [home]")
    return Finding(Verdict.GOOD, "home", f"{settings.home.url} answers; everyone there sees {shown}")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
