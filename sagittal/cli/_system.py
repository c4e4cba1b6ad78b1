"""The parts of a running system: broker, bridge, worker, page, under one supervisor."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sagittal import broker, mqtt
from sagittal.errors import StoreError
from sagittal.settings import Settings
from sagittal.supervisor import ERROR, Part, Supervisor, python_part

LEDGER = "run.json"
_ADDRESS = re.compile(r"https?://\S+")
_TRACE = ("Traceback", "  ", "\t")


@dataclass(slots=True)
class System:
    """Broker, worker, page and bridge of one installation, started together and stopped in order."""

    settings: Settings
    say: Callable[[str], None]
    address: str = ""
    supervisor: Supervisor = field(init=False)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.say, self.settings.data_dir / LEDGER)

    def check(self, *, page: bool = True) -> None:
        """Find out what would stop a start before anything is started.

        Raises
        ------
        PortTaken
            Where a port belongs to another program.
        StoreError
            Where the data folder can't be written.
        BrokerError
            Where there is no broker to start, or the one named can't be used.
        """
        if self.settings.broker.url:
            mqtt.check(self.settings)
        else:
            broker.check_free(broker.HOST, self.settings.broker.port, "the broker", "SAGITTAL_BROKER__PORT")
            broker.find_server()
        if page:
            wanted = self.settings.page
            host = "0.0.0.0" if wanted.lan else wanted.host  # noqa: S104  # --lan asks for it, and everyone must log in
            broker.check_free(host, wanted.port, "the page", "SAGITTAL_PAGE__PORT")
        folder = self.settings.data_dir
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise StoreError(
                f"the data folder {folder} can't be written ({error.strerror}): mend its rights, or set data_dir"
            ) from None

    def start(self, *, bridge: bool = True, page: bool = True) -> None:
        """Start everything at once; each part waits for those it needs."""
        if not self.settings.broker.url:
            self.supervisor.start(Part("broker", broker.command(self.settings)))
        self.supervisor.start(Part("worker", python_part("worker"), on_line=self._line("worker")))
        if bridge:
            self.supervisor.start(Part("bridge", python_part("bridge"), on_line=self._line("bridge")))
        if page:
            self.supervisor.start(Part("page", python_part("page"), stop_s=5.0, on_line=self._page_line))
        if page and self.settings.home.url:
            self.supervisor.start(Part("home", python_part("home"), on_line=self._line("home")))

    def stop(self) -> None:
        """Stop sources first, then what they feed, the broker last."""
        for name in ("bridge", "home", "page", "worker", "broker"):
            self.supervisor.stop(name)
        self.supervisor.stop_all()

    def _line(self, name: str) -> Callable[[str], None]:
        def said(line: str) -> None:
            if line and not line.startswith(_TRACE) and not line.startswith(ERROR):
                self.say(line if line.startswith(f"{name}:") else f"{name}: {line}")

        return said

    def _page_line(self, line: str) -> None:
        found = _ADDRESS.search(line)
        if line.startswith("page on ") and found is not None:
            first, self.address = not self.address, found.group()
            if first:
                self.say(f"page: {self.address}")
        else:
            self._line("page")(line)


def since(begun: float) -> str:
    """Time since a monotonic start, as people write it."""
    minutes, seconds = divmod(int(time.monotonic() - begun), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def is_terminal() -> bool:
    """Whether people watch."""
    return sys.stdout.isatty()
