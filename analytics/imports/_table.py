"""One sensor's part of a file that was found: whose, where on the body, when it begins, and how to read it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from analytics.analysis import SensorRecording, blocks_of
from sagittal.blocks import Block
from sagittal.names import Site


@dataclass(frozen=True, slots=True)
class Found:
    """One stream of one file; `start_ns` is UTC of its first sample."""

    path: Path
    wearer: str
    site: Site
    start_ns: int
    read: Callable[[], SensorRecording]

    @property
    def boot_id(self) -> bytes:
        """Names this stream of this content, so that what was taken once is known again, wherever the file lies."""
        with self.path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").digest()
        return hashlib.sha256(content + f"{self.wearer}/{self.site}/{self.start_ns}".encode()).digest()[:8]

    def blocks(self, boot_id: bytes) -> Iterator[Block]:
        """Its samples as blocks of that boot.

        Raises
        ------
        RecordingError
            Where the file can't be read, or its numbers can't be in the unit that it names.
        """
        for block in blocks_of(self.read(), self.site, wearer=self.wearer, base_ns=self.start_ns):
            yield replace(block, boot_id=boot_id, device="import")
