"""`sagittal health`: whether one part is alive, for a container's health check."""

from __future__ import annotations

import queue
import socket
import sys
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import ValidationError

from sagittal.cli._options import BROKER, with_broker
from sagittal.errors import BrokerError, SagittalError
from sagittal.messages import Status
from sagittal.mqtt import connect, make_client
from sagittal.settings import Settings
from sagittal.topics import status_topic
from sagittal.units import NS_PER_S

if TYPE_CHECKING:
    import paho.mqtt.client as paho

_WAIT_S = 3.0
_FRESH_S = 60.0
"""A worker says every ten seconds that it is there."""


class Part(StrEnum):
    """What can be asked after."""

    WORKER = "worker"
    BRIDGE = "bridge"
    PAGE = "page"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="health")(health)


def health(
    part: Annotated[Part, typer.Argument(help="worker, bridge or page.")], broker: Annotated[str | None, BROKER] = None
) -> None:
    """Exit with 0 where a part is alive, with 1 and the reason where it is not.

    Example:  sagittal health worker
    """
    settings = with_broker(broker)
    try:
        wrong = _page(settings) if part is Part.PAGE else _said(settings, part)
    except SagittalError as error:
        wrong = str(error)
    sys.stdout.write(f"{part}: {wrong or 'alive'}\n")
    if wrong:
        raise typer.Exit(1)


def _page(settings: Settings) -> str:
    try:
        with socket.create_connection((settings.page.host, settings.page.port), timeout=_WAIT_S):
            return ""
    except OSError as error:
        return f"nothing answers at {settings.page.host}:{settings.page.port} ({error})"


def _said(settings: Settings, part: Part) -> str:
    name = settings.worker.name if part is Part.WORKER else settings.bridge_name
    status = _status(settings, status_topic(part, name))
    if status is None:
        return f"has said nothing on the broker; is it called {name!r}?"
    age_s = (time.time_ns() - status.t_ns) / NS_PER_S
    if status.state != "online":
        return f"is {status.state}"
    if part is Part.WORKER and age_s > _FRESH_S:
        return f"has said nothing for {age_s:.0f} s"
    return ""


def _status(settings: Settings, topic: str) -> Status | None:
    """The retained status of a part; None where there is none."""
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def arrived(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        heard.put(bytes(message.payload))

    def connected(client: paho.Client, *_: object) -> None:
        client.subscribe(topic, qos=1)

    client = make_client("", settings)
    client.on_message = arrived
    client.on_connect = connected
    connect(client, settings)
    client.loop_start()
    try:
        return Status.model_validate_json(heard.get(timeout=_WAIT_S))
    except queue.Empty:
        return None
    except ValidationError:
        raise BrokerError(f"what stands on {topic} is no status: does another program write there?") from None
    finally:
        client.disconnect()
        client.loop_stop()
