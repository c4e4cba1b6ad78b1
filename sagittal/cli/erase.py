"""`sagittal erase`: everything of a wearer, everywhere."""

from __future__ import annotations

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
from sagittal.mqtt import connect, host_port, make_client
from sagittal.names import check_name
from sagittal.settings import Settings
from sagittal.topics import ROOT

if TYPE_CHECKING:
    import paho.mqtt.client as paho

_COMMIT_S = 2.5
"""Longer than a worker takes to its next commit, by which it drops what it holds in memory."""
_RETAINED_S = 1.5


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="erase")(erase)


def erase(
    wearer: Annotated[str, typer.Option(help="Whose traces to delete.")],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    broker: Annotated[str | None, BROKER] = None,
    data_dir: Annotated[Path | None, DATA_DIR] = None,
) -> None:
    """Delete everything of a wearer: results, recordings, spool, sinks, retained messages. There is no way back.

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
        ("broker", _broker),
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
    sys.stdout.write(f"nothing of {wearer} is left; what a wearable sends from now on is new\n")


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
