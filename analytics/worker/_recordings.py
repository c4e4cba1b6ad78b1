"""Raw recordings beside the store, for as many days as the settings ask for."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

from sagittal.blocks import Block
from sagittal.codec import encode_block
from sagittal.units import NS_PER_S

_DAY_S = 86_400


class Recordings:
    """Appends taken blocks to `<folder>/<wearer>/<site>/<day>.cborseq`.

    The store keeps how much of each file is committed; what a crash left beyond is cut off before it grows again, so a
    block stands in a recording once, whatever happened.
    """

    def __init__(self, folder: Path, days: float) -> None:
        self._folder = folder
        self._days = days
        self._pending: dict[tuple[str, str], list[bytes]] = {}

    def add(self, block: Block) -> None:
        """Take a block; it is written with the next `write`."""
        if self._days <= 0:
            return
        day = datetime.fromtimestamp(block.t0_ns / NS_PER_S, UTC).date()
        path = f"{block.wearer}/{block.site}/{day}.cborseq"
        self._pending.setdefault((block.wearer, path), []).append(encode_block(block))

    def drop(self, wearer: str) -> None:
        """Forget what waits of a wearer."""
        for place in [place for place in self._pending if place[0] == wearer]:
            del self._pending[place]

    def paths(self) -> list[str]:
        """The files that wait to be written."""
        return [path for _, path in self._pending]

    def write(self, committed: dict[str, int]) -> dict[tuple[str, str], int]:
        """Append what waits behind what is committed; the new sizes, to be committed in turn."""
        sizes: dict[tuple[str, str], int] = {}
        for (wearer, path), parts in self._pending.items():
            file = self._folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("ab") as stream:
                stream.truncate(min(committed.get(path, 0), stream.tell()))
                stream.seek(0, 2)
                stream.write(b"".join(parts))
                sizes[wearer, path] = stream.tell()
        self._pending.clear()
        return sizes

    def forget(self) -> None:
        """Delete recordings that have had their time."""
        if self._days <= 0 or not self._folder.is_dir():
            return
        oldest = time.time() - (self._days + 1) * _DAY_S
        for file in self._folder.glob("*/*/*.cborseq"):
            if file.stat().st_mtime < oldest:
                file.unlink(missing_ok=True)
