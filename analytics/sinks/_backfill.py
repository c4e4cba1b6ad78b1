"""All that the store holds, offered to a sink beside a running worker."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sagittal.errors import SinkUnavailable
from sagittal.protocols import Reader, Row, Sink
from sagittal.results import GapMark, Result
from sagittal.units import NS_PER_S

KINDS = ("posture", "gap", "event", "walk", "minute", "day")
RETOLD = ("event", "walk", "day")
"""Kinds whose newest entries a running worker may tell anew meanwhile."""
BATCH = 20_000
PATIENCE_S = 120.0
_RECENT_NS = 2 * 86_400 * NS_PER_S
_ALWAYS = (-(2**62), 2**62)
_FIRST_WAIT_S = 0.5


@dataclass(slots=True)
class Filled:
    """What a backfill did."""

    rows: int = 0
    refused: int = 0


def backfill(
    reader: Reader, sink: Sink, wearers: list[str] | None = None, told: Callable[[str, Filled], None] | None = None
) -> Filled:
    """Offer every stored result to a sink, wearer by wearer, oldest first; safe to repeat and beside a worker.

    A worker may write a newer word on a day while an older one is on its way from here: so what can be told anew is
    read again afterwards, and written again until nothing has changed meanwhile.

    Raises
    ------
    SinkUnavailable
        Where the sink stays away for two minutes; what was written stays, and nothing is doubled by trying again.
    SinkRefused
        Where a person must act.
    """
    filled = Filled()
    for wearer in reader.wearers() if wearers is None else wearers:
        began_ns = time.time_ns()
        for kind in KINDS:
            _offer(sink, wearer, reader.results(wearer, kind, *_ALWAYS), filled)
        before: list[Result] = []
        while (now := _recent(reader, wearer, began_ns)) != before:
            _offer(sink, wearer, now, Filled())
            before = now
        if told is not None:
            told(wearer, filled)
    return filled


def _recent(reader: Reader, wearer: str, now_ns: int) -> list[Result]:
    span = (now_ns - _RECENT_NS, _ALWAYS[1])
    return [result for kind in RETOLD for result in reader.results(wearer, kind, *span)]


def _offer(sink: Sink, wearer: str, results: Iterable[Result], filled: Filled) -> None:
    rows = (Row(0, wearer, str(result.site) if isinstance(result, GapMark) else None, result) for result in results)
    while batch := list(itertools.islice(rows, BATCH)):
        written = _patiently(sink, batch)
        filled.rows += len(batch)
        filled.refused += len(written)


def _patiently(sink: Sink, batch: list[Row]) -> list[tuple[int, str]]:
    wait_s, deadline = _FIRST_WAIT_S, time.monotonic() + PATIENCE_S
    while True:
        try:
            return sink.write(batch).refused
        except SinkUnavailable as error:
            if time.monotonic() > deadline:
                raise
            time.sleep(max(error.retry_after_s or 0.0, wait_s))
            wait_s = min(2 * wait_s, 10.0)
