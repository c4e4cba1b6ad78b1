"""`sagittal erase`: everything of a wearer, everywhere."""

from __future__ import annotations

import mmap
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sagittal import broker as own_broker
from sagittal.cli._options import BROKER, DATA_DIR, with_broker
from sagittal.errors import SagittalError, StoreError
from sagittal.exports import erase_exports
from sagittal.mqtt import connect, host_port, make_client
from sagittal.names import check_name
from sagittal.settings import Settings
from sagittal.topics import ROOT

if TYPE_CHECKING:
    import paho.mqtt.client as paho

ACCESS_BOOK = "access.sqlite"
_COMMIT_S = 2.5
"""Longer than a worker takes to its next commit, by which it drops what it holds in memory."""
_RETAINED_S = 1.5
_TELLING = 6
"""A name of so many characters is searched for as it is; a shorter one could be chance in a binary file."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="erase")(erase)


def erase(
    wearer: Annotated[str, typer.Option(help="Whose traces to delete.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    broker: Annotated[str | None, BROKER] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Delete everything of a wearer: results, recordings, spool, sinks, messages, exports, rights. No way back.

    Example:  sagittal erase --wearer anna --yes
    """
    check_name("wearer", wearer)
    settings = with_broker(broker, data_dir)
    if not yes and not typer.confirm(f"Delete everything of {wearer}, for good?"):
        raise typer.Exit(1)
    steps: list[tuple[str, Callable[[Settings, str], str]]] = [
        ("spool", _spool),
        ("store", _store),
        ("recordings", _recordings),
        ("sinks", _sinks),
        ("exports", _exports),
        ("rights", _rights),
        ("broker", _broker),
        ("home", _home),
        ("proof", _proof),
    ]
    left = []
    for name, step in steps:
        try:
            sys.stdout.write(f"{name}: {step(settings, wearer)}\n")
        except SagittalError as error:
            left.append(name)
            sys.stdout.write(f"{name}: NOT ERASED: {error}\n")
    if left:
        raise StoreError(f"something of {wearer} may be left in: {', '.join(left)}; mend it and run this again")
    sys.stdout.write(
        f"nothing of {wearer} is left here; what a wearable sends from now on is new\n"
        "out of reach: copies that were sent on, downloads of a browser, backups, and what Home Assistant's recorder "
        "or a Grafana snapshot has kept\n"
    )


def _spool(settings: Settings, wearer: str) -> str:
    if not settings.spool_path.is_file():
        return "there is none"
    from sensor_bridge._spool import Spool

    spool = Spool(settings.spool_path)
    try:
        waiting = sum(spool.ledger(one, site).blocks for one, site in spool.streams() if one == wearer)
        spool.erase(wearer)
    finally:
        spool.close()
    return f"{waiting} waiting blocks deleted"


def _store(settings: Settings, wearer: str) -> str:
    if not settings.store_path.is_file():
        return "there is none"
    from analytics.store import erase_wearer

    gone = erase_wearer(settings.store_path, wearer)
    return ", ".join(f"{count} of {table}" for table, count in gone.items() if count) or "held nothing"


def _recordings(settings: Settings, wearer: str) -> str:
    folder = settings.recordings_dir / wearer
    if not folder.is_dir():
        return "there are none"
    files = [file for file in folder.rglob("*") if file.is_file()]
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise StoreError(f"{folder} can't be deleted ({error.strerror}): mend its rights") from None
    return f"{len(files)} files deleted"


def _sinks(settings: Settings, wearer: str) -> str:
    from analytics.sinks import open_sinks

    sinks = open_sinks(settings)
    for sink in sinks:
        try:
            sink.erase(wearer)
        finally:
            sink.close()
    return ", ".join(f"{sink.name} erased" for sink in sinks) or "there are none"


def _exports(settings: Settings, wearer: str) -> str:
    found = erase_exports(settings.data_dir, wearer)
    if found.changed:
        names = ", ".join(str(path) for path in found.changed)
        raise StoreError(f"{names} was changed since: delete it yourself, and run this again")
    moved = f", {len(found.gone)} no longer where they were written" if found.gone else ""
    return f"{len(found.deleted)} files deleted{moved}"


def _rights(settings: Settings, wearer: str) -> str:
    book = settings.data_dir / ACCESS_BOOK
    if not book.is_file():
        return "there are none"
    from dashboards.page import Access

    access = Access(book)
    try:
        access.erase(wearer)
        looks = len(access.audit(wearer))
    finally:
        access.close()
    return f"log-ins, tokens and consents deleted; {looks} looks stay in the record (pseudonym and action only)"


def _home(settings: Settings, wearer: str) -> str:
    if not settings.home.url:
        return "no household's broker is set"
    from dashboards.doors import erase_home

    cleared = erase_home(settings.home, wearer)
    named = "; take it out of [home] wearers" if wearer in settings.home.wearers else ""
    return f"{cleared} retained messages deleted{named}"


def _proof(settings: Settings, wearer: str) -> str:
    """Look once more into everything that could hold the wearer, as bytes where it is a file."""
    if settings.store_path.is_file():
        from analytics.store import forget_erasure

        forget_erasure(settings.store_path, wearer)
    needles = [f'"{wearer}"'.encode(), f"/{wearer}/".encode()] if len(wearer) < _TELLING else [wearer.encode()]
    looked, left = 0, []
    for path in sorted(one for one in settings.data_dir.rglob("*") if one.is_file()):
        if path.name.startswith(ACCESS_BOOK) or settings.broker_dir in path.parents:
            continue
        looked += 1
        if _holds(path, needles):
            left.append(path.name)
    if settings.store_path.is_file():
        from analytics.store import open_reader

        reader = open_reader(settings.store_path)
        try:
            if wearer in reader.wearers():
                left.append("a row of the store")
        finally:
            reader.close()
    if left:
        raise StoreError(f"{wearer} is still in {', '.join(left)}: does a wearable of {wearer} still send?")
    passing = "; the broker's files hold passing messages and go when it has stopped" * settings.broker_dir.exists()
    return f"looked again into {looked} files, the store's rows and the retained messages: nothing{passing}"


def _holds(path: Path, needles: list[bytes]) -> bool:
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return any(content.find(needle) >= 0 for needle in needles)
    except ValueError:  # an empty file can't be mapped
        return False
    except OSError as error:
        raise StoreError(f"{path} can't be read ({error.strerror}): mend its rights") from None


def _broker(settings: Settings, wearer: str) -> str:
    if not own_broker.answers(*host_port(settings)):
        if settings.broker.url:
            connect(make_client("", settings), settings)
        shutil.rmtree(settings.broker_dir, ignore_errors=True)
        if settings.broker_dir.exists():
            raise StoreError(f"{settings.broker_dir} can't be deleted: mend its rights")
        return "not running; its files are deleted"
    time.sleep(_COMMIT_S)
    topics = _retained(settings, wearer, clear=True)
    if left := _retained(settings, wearer, clear=False):
        raise StoreError(f"{left[0]} comes back: a wearable of {wearer} still streams; stop it first")
    return f"{len(topics)} retained messages deleted"


def _retained(settings: Settings, wearer: str, *, clear: bool) -> list[str]:
    client = make_client("", settings)
    found: list[str] = []

    def arrived(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if message.retain and message.payload:
            found.append(message.topic)

    def connected(client: paho.Client, *_: object) -> None:
        client.subscribe(f"{ROOT}/{wearer}/#", qos=1)

    client.on_connect = connected
    client.on_message = arrived
    connect(client, settings)
    client.loop_start()
    try:
        time.sleep(_RETAINED_S)
        if clear:
            for topic in found:
                client.publish(topic, b"", qos=1, retain=True).wait_for_publish(5)
    finally:
        client.disconnect()
        client.loop_stop()
    return sorted(set(found))
