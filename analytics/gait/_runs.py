"""Which contacts are walking: runs whose evidence adds up, joined across short breaks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics._middle import median
from analytics._window import GRID_HZ, BoolArray, FloatArray
from analytics.gait._table import COHERENCE, COLUMNS, CUE, HUMP, ODDS, PERIOD, RHYTHM, ROW, TILT

BREAK_S = 3.0
"""A longer pause ends a bout (Mobilise-D; Kluge 2021)."""
DROP = 3.5
"""Evidence lost since its highest that ends a run."""
MOST_ODDS = 2.0
"""One contact counts no more than this."""
LEAST_EVIDENCE = 4.0
LEAST_CONTACTS = 5
LEAST_AGREEMENT = 0.65
LEAST_COHERENCE = 0.2
STRONG_EVIDENCE = 7.0
SURE_AGREEMENT, SURE_COHERENCE, SURE_RHYTHM = 0.8, 0.1, 0.3
"""Where the sway fits nearly every step of a rhythmic run a looser phase lock will do, as with a walking aid."""
AGREES = 0.0
MOST_UNEVEN, MOST_UNEVEN_SHORT = 0.14, 0.2
"""Half of a run's strides are this near their median: after stroke within 0.1, a sensor moved by hand 0.15."""
LEAST_ORDER = 0.5
"""Phase lock and rhythm together: shaking at random has 0.36, walking after stroke and between household tasks 0.85."""
JUDGED_TOGETHER = 12
ASTRAY = 0.1
"""Where so many contacts in a row lock less than this, walking is over: a sensor moved by hand is lively too."""
FAINT = 0.3
TILTED_DEG = 15.0
CLOSING_ODDS = -0.5
"""A closing step is soft by nature: less likely ones are shifts of weight."""
BEGINNING = 10
"""Contacts that decide where a bout begins, so that its beginning stays while it grows."""
LONG_STEP = 1.5
LONG_STRIDE = 0.75
OUTER = 2
MOST_CONTACTS = 4096
"""A walk of more contacts (some 35 minutes) is told in parts, so that memory stays bounded."""


@dataclass(frozen=True, slots=True)
class Run:
    """An open run: its contacts, the evidence so far and where it was highest (`length` contacts in).

    `told` says that it was told as a provisional bout, so that a final one must follow.
    """

    table: FloatArray
    total: float = 0.0
    best: float = 0.0
    length: int = 0
    told: bool = False

    @property
    def last_row(self) -> float:
        """Row of the last contact that may belong to it: where its evidence was highest, or a likely one since."""
        likely = np.flatnonzero(self.table[self.length :, ODDS] > 0.0)
        return float(self.table[self.length + (int(likely[-1]) if len(likely) else -1), ROW])


@dataclass(frozen=True, slots=True)
class Walk:
    """The contacts of a bout, and the closing steps that follow it."""

    table: FloatArray
    closing: FloatArray


def no_run() -> Run:
    """Nothing open."""
    return Run(np.zeros((0, len(COLUMNS))))


def accepted(table: FloatArray, evidence: float) -> bool:
    """Whether a closed run is walking."""
    strong = evidence >= STRONG_EVIDENCE
    if len(table) < LEAST_CONTACTS or evidence < LEAST_EVIDENCE:
        return False
    locked, rhythm = median(table[:, COHERENCE]), median(table[:, RHYTHM])
    if locked + rhythm < LEAST_ORDER:
        return False
    if _unevenness(table) > (MOST_UNEVEN if len(table) >= JUDGED_TOGETHER else MOST_UNEVEN_SHORT):
        return False
    agreement = int(np.count_nonzero(table[:, CUE] > AGREES)) / len(table)
    if agreement >= SURE_AGREEMENT and strong and rhythm >= SURE_RHYTHM:
        return locked >= SURE_COHERENCE
    return agreement >= LEAST_AGREEMENT and locked >= LEAST_COHERENCE


def _unevenness(table: FloatArray) -> float:
    """How far the usual stride lies from the median one, as a share of it."""
    stride = table[2:, ROW] - table[:-2, ROW]
    usual = median(stride)
    return median(np.abs(stride - usual)) / usual


def feed(run: Run, contacts: FloatArray) -> tuple[Run, list[Walk]]:
    """Add contacts in order; returns the open run and the walking that closed."""
    run, closed = _grown(run, contacts)
    walks = [walk_of(one) for one in closed]
    return run, [walk for walk in walks if walk]


def _grown(run: Run, contacts: FloatArray) -> tuple[Run, list[Run]]:
    """Add contacts in order; returns the open run and those that closed, walking or not."""
    if not len(contacts):
        return run, []
    table = np.concatenate((run.table, contacts)) if len(run.table) else contacts
    # Only what came after the highest evidence can be gone through again.
    since = max(0, run.length - JUDGED_TOGETHER)
    rows, odds, astray = _judged(table[since:])
    closed: list[Run] = []
    first, total, best, length, told = 0, run.total, run.best, run.length, run.told
    place = len(run.table)
    seen = run.last_row if place else 0.0
    while place < len(table):
        here, count = place - since, place - first
        if count and (
            rows[here] - seen > BREAK_S * GRID_HZ
            or best - total > DROP
            or count >= MOST_CONTACTS
            or (count >= JUDGED_TOGETHER and astray[here - JUDGED_TOGETHER])
        ):
            closed.append(Run(table[first:place], total, best, length, told))
            # What came after the highest evidence may begin another walk.
            first = place = first + length
            total, best, length, told = 0.0, 0.0, 0, False
            continue
        total += odds[here]
        if odds[here] > 0.0 or not count:
            seen = rows[here]
        place += 1
        if total <= 0.0:
            if told:
                closed.append(Run(table[first:place], total, best, length, told))
            first, total, best, length, told = place, 0.0, 0.0, 0, False
        elif total >= best:
            best, length = total, place - first
    return Run(table[first:], total, best, length, told), closed


def _judged(table: FloatArray) -> tuple[list[float], list[float], list[bool]]:
    """Rows, what each contact counts, and whether the `JUDGED_TOGETHER` from it on have no phase lock, however lively.

    Where they have none there is no walking.
    """
    rows, odds = table[:, ROW].tolist(), np.minimum(np.maximum(table[:, ODDS], -MOST_ODDS), MOST_ODDS).tolist()
    if len(table) <= JUDGED_TOGETHER:
        return rows, odds, []
    sums = np.cumsum(table[:, COHERENCE])
    sums[JUDGED_TOGETHER:] -= sums[:-JUDGED_TOGETHER]
    return rows, odds, (sums[JUDGED_TOGETHER - 1 :] < ASTRAY * JUDGED_TOGETHER).tolist()


def walk_of(run: Run) -> Walk | None:
    """The walking in a run as it stands, None where it is none."""
    first, last = _inside(run)
    if first == last:
        return None
    inside = run.table[first:last]
    return Walk(inside, _closing(inside, run.table[last:]))


def walking_of(table: FloatArray) -> FloatArray:
    """(k, 2) rows of the first and last contact of every walk in a table of contacts that is complete in itself."""
    last, closed = _grown(no_run(), table)
    spans = []
    for run in (*closed, last):
        begin, end = _inside(run)
        if begin < end:
            spans.append((run.table[begin, ROW], run.table[end - 1, ROW]))
    return np.array(spans).reshape(-1, 2)


def _inside(run: Run) -> tuple[int, int]:
    """First and one past the last contact of the bout in a run, both 0 where it is no walking."""
    if not run.told and (run.length < LEAST_CONTACTS or run.best < LEAST_EVIDENCE):
        return 0, 0
    first, last = trim(run.table[: run.length])
    return (first, last) if run.told or accepted(run.table[first:last], run.best) else (0, 0)


def _closing(inside: FloatArray, after: FloatArray) -> FloatArray:
    """The steps that follow a bout without a pause, as long as they are not unlikely: softer, for walking ends."""
    if not len(after):
        return after
    rows = inside[:, ROW]
    longest, before = LONG_STEP * median(rows[1:] - rows[:-1]), float(rows[-1])
    for place, (row, odds) in enumerate(after[:, (ROW, ODDS)].tolist()):
        if row - before > longest or odds < CLOSING_ODDS:
            return after[:place]
        before = row
    return after


def trim(table: FloatArray) -> tuple[int, int]:
    """First and one past the last contact of the bout in a run.

    Outer steps that are faint, tilted or far from their neighbour are left out, `OUTER` at most on either side, and
    then the closing step: the last foot only closes beside the other, and reference bouts end before it.
    """
    if len(table) < LEAST_CONTACTS:
        return 0, len(table)
    poor, far = _poor(table)
    first = _outer(*(_poor(table[:BEGINNING]) if len(table) > BEGINNING else (poor, far)))
    last = _outer(poor[::-1], far[::-1])
    if len(table) - first - last > LEAST_CONTACTS:
        last += 1
        last += int(poor[-1 - last] and len(table) - first - last > LEAST_CONTACTS)
    return first, len(table) - last


def _poor(table: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Which contacts are faint or tilted, and after which the next is far away."""
    rows, hump = table[:, ROW], table[:, HUMP]
    step = (rows[1:] - rows[:-1]) / GRID_HZ
    longest = max(LONG_STEP * median(step), LONG_STRIDE * median(table[:, PERIOD]))
    poor = (hump < FAINT * median(hump)) | (table[:, TILT] > TILTED_DEG)
    return np.asarray(poor), np.asarray(step > longest)


def _outer(poor: BoolArray, far: BoolArray) -> int:
    """How many contacts to leave off at the beginning."""
    off = 0
    for n in range(OUTER):
        if (poor[n] and off == n) or far[n]:
            off = n + 1
    return off
