"""Lines that a sink's server can't take, kept in a file for a person to look at."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from sagittal.errors import StoreError

MAX_BYTES = 10_000_000


class TooLarge(Exception):
    """A server takes no body of this size; none of it was written."""


class Malformed(Exception):
    """A server can't read a line of a body; none of it was written."""


class Quarantine:
    """A file of JSON lines {row, wearer, why, line}; full at 10 MB, after which lines are only counted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()

    def keep(self, row: int, wearer: str, why: str, line: str) -> None:
        """Add a line."""
        entry = json.dumps({"row": row, "wearer": wearer, "why": why, "line": line}, ensure_ascii=False)
        with self._lock:
            try:
                if self.path.is_file() and self.path.stat().st_size > MAX_BYTES:
                    return
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with self.path.open("a", encoding="utf-8") as file:
                    file.write(entry + "\n")
            except OSError as error:
                raise self._unwritable(error) from None

    def count(self) -> int:
        """How many lines are kept."""
        return len(self._lines())

    def erase(self, wearer: str) -> None:
        """Delete a wearer's lines."""
        with self._lock:
            lines = self._lines()
            kept = [line for line in lines if json.loads(line)["wearer"] != wearer]
            if len(kept) == len(lines):
                return
            try:
                new = self.path.with_suffix(".new")
                new.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
                new.replace(self.path)
            except OSError as error:
                raise self._unwritable(error) from None

    def _lines(self) -> list[str]:
        try:
            return self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> StoreError:
        return StoreError(f"quarantine {self.path} can't be read or written ({error.strerror}): check the disk")
