"""Starts programs, restarts what dies, and stops all of them in order."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from sagittal.errors import SagittalError

EXIT_REFUSED = 2
ERROR = "sagittal: "
"""How the last line of a program of ours begins that ended with an error."""
FIRST_WAIT_S = 0.3
MAX_WAIT_S = 15.0
HEALTHY_S = 20.0
"""Who ran this long starts with the shortest wait again when it dies."""
_SUPERVISED = "SAGITTAL_SUPERVISED"
_LEDGER = "SAGITTAL_LEDGER"
FOREIGN = "broker"
"""The part that is no program of ours and so can't look after itself."""


_is_part = False
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""The numerics are small: more threads would only take memory and time from the other parts."""


class PartRefused(SagittalError):
    """A part said at its first start why it can't run; the message is its own."""


@dataclass(frozen=True, slots=True)
class Part:
    """One program: its name for people, its command, how long it may take to stop, and where its lines go."""

    name: str
    command: Sequence[str]
    stop_s: float = 10.0
    on_line: Callable[[str], None] | None = None


@dataclass(slots=True)
class _Child:
    part: Part
    process: subprocess.Popen[str] | None = None
    started: float = 0.0
    wait_s: float = FIRST_WAIT_S
    due: float = 0.0
    starts: int = 0
    wanted: bool = True
    was_healthy: bool = False
    listener: threading.Thread | None = None
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=5))


def python_part(*arguments: str) -> list[str]:
    """The command that runs `sagittal` with this Python."""
    script = Path(sys.executable).with_name("sagittal")
    return [sys.executable, *([str(script)] if script.is_file() else ["-m", "sagittal.cli"]), *arguments]


class Supervisor:
    """Keeps parts running; not thread-safe, `tick` is its heartbeat.

    Parameters
    ----------
    say
        Takes lines for people: what died, what parts have to say.
    ledger
        A file that tells other programs the process ids; None to write none.
    """

    def __init__(self, say: Callable[[str], None], ledger: Path | None = None) -> None:
        self._say = say
        self._ledger = ledger
        self._environment = {**ONE_THREAD, **os.environ, _SUPERVISED: str(os.getpid()), _LEDGER: str(ledger or "")}
        self._children: dict[str, _Child] = {}
        self._quiet = False

    def start(self, part: Part) -> None:
        """Start a part and keep it running from now on."""
        child = self._children[part.name] = _Child(part)
        self._spawn(child)

    def pids(self) -> dict[str, int]:
        """The process ids of what runs now."""
        return {
            name: child.process.pid
            for name, child in self._children.items()
            if child.process is not None and child.process.poll() is None
        }

    def restarts(self) -> dict[str, int]:
        """How often each part was started again."""
        return {name: child.starts - 1 for name, child in self._children.items()}

    def tick(self) -> None:
        """Start again what died and has waited long enough.

        Raises
        ------
        PartRefused
            Where a part refused at its first start: only a person can help.
        """
        now = time.monotonic()
        for child in self._children.values():
            if not child.wanted:
                continue
            if child.process is not None and child.process.poll() is None:
                if not child.was_healthy and now - child.started > HEALTHY_S:
                    child.was_healthy, child.wait_s = True, FIRST_WAIT_S
                continue
            if child.process is not None:
                self._mourn(child, now)
            elif now >= child.due:
                self._spawn(child)

    def stop(self, name: str) -> bool:
        """Stop one part and leave it stopped; whether it went by itself within its time."""
        child = self._children.get(name)
        if child is None:
            return True
        child.wanted = False
        process = child.process
        if process is None or process.poll() is not None:
            return True
        process.terminate()
        try:
            process.wait(child.part.stop_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False
        return True

    def stop_all(self) -> None:
        """Stop every part, the last started first."""
        self._quiet = True
        for name in reversed(self._children):
            self.stop(name)
        if self._ledger is not None:
            self._ledger.unlink(missing_ok=True)

    def _mourn(self, child: _Child, now: float) -> None:
        process, child.process = child.process, None
        code = process.returncode if process is not None else 0
        if child.listener is not None:
            child.listener.join(1.0)
        last = child.lines[-1] if child.lines else ""
        if code == EXIT_REFUSED and child.starts == 1 and not child.was_healthy:
            raise PartRefused(last.removeprefix(ERROR) or f"{child.part.name} can't run: try it alone")
        if now - child.started > HEALTHY_S:
            child.wait_s = FIRST_WAIT_S
        child.due = now + child.wait_s
        child.wait_s = min(2 * child.wait_s, MAX_WAIT_S)
        why = last.removeprefix(ERROR) if last.startswith(ERROR) else _reason(code)
        self._say(f"{child.part.name} ended ({why}); it starts again")

    def _spawn(self, child: _Child) -> None:
        child.starts += 1
        child.started = time.monotonic()
        child.process = subprocess.Popen(
            list(child.part.command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self._environment,
            start_new_session=True,
        )
        child.listener = threading.Thread(target=self._listen, args=(child, child.process), daemon=True)
        child.listener.start()
        self._write_ledger()

    def _listen(self, child: _Child, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with contextlib.suppress(ValueError), process.stdout:
            for line in process.stdout:
                text = line.rstrip()
                child.lines.append(text)
                if child.part.on_line is not None and not self._quiet:
                    child.part.on_line(text)

    def _write_ledger(self) -> None:
        if self._ledger is not None:
            with contextlib.suppress(OSError):
                self._ledger.write_text(json.dumps({"run": os.getpid(), **self.pids()}), encoding="utf-8")


def _reason(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


class Stopping:
    """Turns SIGINT, SIGTERM and SIGHUP (but under nohup) into an event; a second Ctrl-C no longer waits."""

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self.event = threading.Event()
        self._then = then
        self._before: dict[int, Any] = {}

    def __enter__(self) -> threading.Event:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            before = signal.getsignal(number)
            if number == signal.SIGHUP and before is signal.SIG_IGN:
                continue
            self._before[number] = before
            signal.signal(number, self._handle)
        return self.event

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self.event.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.event.set()
        if self._then is not None:
            self._then()


def die_with_parent() -> None:
    """End this process, and the broker, soon after the supervisor that started it has died, were it before this call.

    Only the parts themselves are meant: what they start in turn no longer finds the mark in its environment.
    """
    global _is_part
    parent = os.environ.pop(_SUPERVISED, None)
    if parent is None:
        return
    _is_part = True

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(1.0)
        _end_broker(int(parent))
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def is_supervised() -> bool:
    """Whether this process is a part that a supervisor started."""
    return _is_part


def _end_broker(parent: int) -> None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        ledger = json.loads(Path(os.environ.get(_LEDGER, "")).read_text(encoding="utf-8"))
        if ledger["run"] == parent and FOREIGN in ledger:
            os.kill(int(ledger[FOREIGN]), signal.SIGTERM)
