"""`sagittal record`: blocks from the broker into a recording."""

from __future__ import annotations

import queue
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sagittal.blocks import Block
from sagittal.cli._options import BROKER, with_broker
from sagittal.codec import Torn, append_block, decode_block, read_blocks
from sagittal.errors import BlockError, RecordingError
from sagittal.mqtt import check, make_client, start
from sagittal.names import Site, check_name
from sagittal.settings import Settings
from sagittal.supervisor import Stopping
from sagittal.topics import ALL_IMU, ROOT

if TYPE_CHECKING:
    import paho.mqtt.client as paho

    from analytics.worker import StreamOrder

HOLE_S = 20.0
"""How long a missing block is waited for: longer than a bridge needs to send it again."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="record")(record)


def record(
    file: Annotated[Path, typer.Argument(help="A .cborseq file; what is there already stays, new blocks follow.")],
    wearer: Annotated[str | None, typer.Option(help="Only this wearer.")] = None,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End by itself after so long.")] = None,
    broker: Annotated[str | None, BROKER] = None,
) -> None:
    """Record what wearables send, each block once and in order, until Ctrl-C.

    Example:  sagittal record monday.cborseq --seconds 600
    """
    settings = with_broker(broker)
    cut = _mend(file)
    if cut is not None:
        sys.stderr.write(f"{file} ended in the middle of a block: {cut.length} bytes were cut off\n")
    blocks, samples = _record(settings, file, wearer, seconds)
    sys.stdout.write(f"{blocks} blocks, {samples} samples appended to {file}\n")


def _record(settings: Settings, file: Path, wearer: str | None, seconds: float | None) -> tuple[int, int]:
    from analytics.worker import StreamOrder

    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    client = _listen(settings, f"{ROOT}/{check_name('wearer', wearer)}/+/imu" if wearer else ALL_IMU, inbox)
    orders: dict[tuple[str, Site], StreamOrder] = {}
    holes: dict[tuple[str, Site], float] = {}
    deadline = None if seconds is None else time.monotonic() + seconds
    blocks = samples = 0
    try:
        with Stopping() as stopping, file.open("ab") as stream:
            while not stopping.is_set() and (deadline is None or time.monotonic() < deadline):
                for block in _next(inbox, orders, holes, StreamOrder):
                    append_block(stream, block)
                    blocks, samples = blocks + 1, samples + block.n
                stream.flush()
            for order in orders.values():
                while order.waiting:
                    for block in order.skip():
                        append_block(stream, block)
                        blocks, samples = blocks + 1, samples + block.n
    except OSError as error:
        raise RecordingError(f"{file} can't be written ({error.strerror}): free space or mend its rights") from None
    finally:
        client.disconnect()
        client.loop_stop()
    return blocks, samples


def _next(
    inbox: queue.SimpleQueue[bytes],
    orders: dict[tuple[str, Site], StreamOrder],
    holes: dict[tuple[str, Site], float],
    make: type[StreamOrder],
) -> list[Block]:
    now = time.monotonic()
    for place, since in list(holes.items()):
        if now - since > HOLE_S:
            del holes[place]
            return orders[place].skip()
    try:
        block = decode_block(inbox.get(timeout=0.2))
    except (queue.Empty, BlockError):
        return []
    place = (block.wearer, block.site)
    if place not in orders:
        orders[place] = make(asks=False)
        block = block.with_head()
    taken = orders[place].offer(block)
    if taken or not orders[place].waiting:
        holes.pop(place, None)
    else:
        holes.setdefault(place, now)
    return taken


def _listen(settings: Settings, topic: str, inbox: queue.SimpleQueue[bytes]) -> paho.Client:
    check(settings)
    client = make_client("", settings)

    def connected(client: paho.Client, *_: object) -> None:
        client.subscribe(topic, qos=1)

    def arrived(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        inbox.put(bytes(message.payload))

    client.on_connect = connected
    client.on_message = arrived
    start(client, settings)
    return client


def _mend(file: Path) -> Torn | None:
    """Cut a torn last block off, so that what follows it can be read."""
    if not file.exists() or file.stat().st_size == 0:
        return None
    for found in read_blocks(file):
        if isinstance(found, Torn):
            with file.open("r+b") as stream:
                stream.truncate(found.offset)
            return found
    return None
