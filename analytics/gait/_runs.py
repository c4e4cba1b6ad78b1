"""Which contacts are walking: runs whose evidence adds up, joined across short breaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._window import GRID_HZ, BoolArray, FloatArray
from analytics.gait._table import COHERENCE, COLUMNS, CUE, HUMP, ODDS, PERIOD, ROW, TILT

BREAK_S = 3.0
"""A longer pause ends a bout (Mobilise-D; Kluge 2021)."""
DROP = 3.5
"""Evidence lost since its highest that ends a run."""
CEILING = 10.0
LEAST_EVIDENCE = 4.0
LEAST_CONTACTS = 5
LEAST_AGREEMENT = 0.65
LEAST_COHERENCE = 0.2
AGREES = 0.0
FAINT_FIRST = 0.3
FAINT_LAST = 0.6
TILTED_DEG = 15.0
LIKELY_ODDS = 0.5
LONG_STEP = 1.5
LONG_STRIDE = 0.75
OUTER = 2
MOST_CONTACTS = 4096
"""A walk of more contacts (some 35 minutes) is told in parts, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Run:
    """An open run: its contacts, the evidence so far and where it was highest (`length` contacts in)."""

    table: FloatArray
    total: float = 0.0
    best: float = 0.0
    length: int = 0


@dataclass(frozen=True, slots=True)
class Walk:
    """The contacts of a bout, and the likely ones just before and after it."""

    table: FloatArray
    outside: FloatArray


def no_run() -> Run:
    """Nothing open."""
    return Run(np.zeros((0, len(COLUMNS))))


def accepted(table: FloatArray, evidence: float) -> bool:
    """Whether a closed run is walking."""
    if len(table) < LEAST_CONTACTS or evidence < LEAST_EVIDENCE:
        return False
    agreement = float(np.mean(table[:, CUE] > AGREES))
    return agreement >= LEAST_AGREEMENT and float(np.median(table[:, COHERENCE])) >= LEAST_COHERENCE


def feed(run: Run, contacts: FloatArray) -> tuple[Run, list[Walk]]:
    """Add contacts in order; returns the open run and the walking that closed."""
    closed: list[Walk] = []
    waiting = [contact[None, :] for contact in contacts]
    waiting.reverse()
    while waiting:
        contact = waiting.pop()
        if len(run.table) and _ends(run, contact):
            rest = run.table[run.length :]
            run, done = close(run)
            closed += done
            waiting += [contact, *(row[None, :] for row in rest[::-1])]
            continue
        run = _extend(run, contact)
    return run, closed


def _ends(run: Run, contact: FloatArray) -> bool:
    if contact[0, ROW] - run.table[-1, ROW] > BREAK_S * GRID_HZ:
        return True
    if run.length and contact[0, ROW] - run.table[run.length - 1, ROW] > BREAK_S * GRID_HZ:
        return True
    return len(run.table) >= MOST_CONTACTS or run.best - run.total > DROP


def _extend(run: Run, contact: FloatArray) -> Run:
    odds = float(np.clip(contact[0, ODDS], -2.0, 2.0))
    total = min(CEILING + run.best, run.total + odds)
    if total <= 0.0:
        return no_run()
    table = np.concatenate((run.table, contact))
    if total >= run.best or (run.best >= CEILING and odds > 0 and total > run.best - 1.0):
        return Run(table, total, total, len(table))
    return Run(table, total, run.best, run.length)


def close(run: Run) -> tuple[Run, list[Walk]]:
    """End the open run: its contacts up to the highest evidence, where they are walking."""
    walk = walk_of(run)
    return no_run(), [walk] if walk else []


def walk_of(run: Run) -> Walk | None:
    """The walking in a run as it stands, None where it is none."""
    table = run.table[: run.length]
    first, last = trim(table)
    inside = table[first:last]
    if not accepted(inside, run.best):
        return None
    outside = np.concatenate((run.table[:first], run.table[last:]))
    return Walk(inside, outside[outside[:, ODDS] > LIKELY_ODDS])


def trim(table: FloatArray) -> tuple[int, int]:
    """First and one past the last contact of the bout in a run.

    Outer steps that are faint, tilted or far from their neighbour are left out, `OUTER` at most on either side, and
    then the closing step: the last foot only closes beside the other, and reference bouts end before it.
    """
    if len(table) < LEAST_CONTACTS:
        return 0, len(table)
    step = np.diff(table[:, ROW]) / GRID_HZ
    longest = max(LONG_STEP * float(np.median(step)), LONG_STRIDE * float(np.median(table[:, PERIOD])))
    usual = float(np.median(table[:, HUMP]))
    tilted, far = table[:, TILT] > TILTED_DEG, step > longest
    first = _outer(tilted | (table[:, HUMP] < FAINT_FIRST * usual), far)
    last = _outer((tilted | (table[:, HUMP] < FAINT_LAST * usual))[::-1], far[::-1])
    closing = 1 if len(table) - first - last > LEAST_CONTACTS else 0
    return first, len(table) - last - closing


def _outer(poor: BoolArray, far: BoolArray) -> int:
    """How many contacts to leave off at the beginning."""
    off = 0
    for n in range(OUTER):
        if (poor[n] and off == n) or far[n]:
            off = n + 1
    return off


def walking_of(table: FloatArray) -> list[Walk]:
    """The runs of walking in a table of contacts that is complete in itself."""
    run, closed = feed(no_run(), table)
    return closed + close(run)[1]
