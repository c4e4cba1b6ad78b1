"""The store behind one thread of its own, opened when it is there: the event loop never waits for a disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sagittal.protocols import Reader

_T = TypeVar("_T")


class Shelf:
    """Reads from the store on one thread; the reader is opened with the first read that succeeds."""

    def __init__(self, open_reader: Callable[[], Reader]) -> None:
        self._open = open_reader
        self._reader: Reader | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-reader")

    async def read(self, do: Callable[[Reader], _T]) -> _T:
        """What `do` makes of the reader.

        Raises
        ------
        StoreError
            Where the store can't be opened or read.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, do)

    async def close(self) -> None:
        """Close the reader and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=True)

    def _run(self, do: Callable[[Reader], _T]) -> _T:
        if self._reader is None:
            self._reader = self._open()
        return do(self._reader)

    def _close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
