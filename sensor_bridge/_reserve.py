"""Disk space set aside, so that a spool on a full disk can still let go of its oldest blocks."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

PLENTY = 4
"""So many times what is set aside must be free before it is."""


class Reserve:
    """A file of so many bytes that is deleted when the disk is full, and made again when there is room."""

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size

    def hold(self) -> bool:
        """Set the space aside if there is plenty; whether it is."""
        with contextlib.suppress(OSError):
            if self._path.is_file() and self._path.stat().st_size >= self._size:
                return True
            if shutil.disk_usage(self._path.parent).free < PLENTY * self._size:
                return False
            with self._path.open("wb") as file:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(file.fileno(), 0, max(1, self._size))
                else:
                    file.write(bytes(self._size))
            return True
        self.release()
        return False

    def release(self) -> None:
        """Give the space back."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
