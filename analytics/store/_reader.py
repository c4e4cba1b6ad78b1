"""Reading the store beside a running worker."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analytics.store._rows import GET_POSTURES, document_from, posture_from
from analytics.store._schema import connect_reading, explained
from analytics.store._states import state_of
from sagittal.protocols import Row
from sagittal.results import Result
from sagittal.schema import from_json

_PAGE = 2_000
"""Rows fetched at once, so that no reading lasts long enough to hold up the worker's checkpoints."""


class SqliteReader:
    """Read-only sight of the store; `sagittal.protocols.Reader`.

    Raises
    ------
    StoreError
        Where there is no store, or it can't be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._db = connect_reading(path)

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            self._db.close()

    def wearers(self) -> list[str]:
        """Every wearer of whom something is stored, sorted."""
        rows = self._all(
            "SELECT wearer FROM stream UNION SELECT wearer FROM device UNION SELECT wearer FROM state"
            " UNION SELECT DISTINCT wearer FROM document UNION SELECT DISTINCT wearer FROM posture ORDER BY 1"
        )
        return [row[0] for row in rows]

    def results(self, wearer: str, kind: str, start_ns: int, end_ns: int) -> Iterator[Result]:
        """Results of one kind whose time lies in [start, end), oldest first."""
        if kind == "posture":
            yield from self._postures(wearer, start_ns, end_ns)
            return
        place = (start_ns, "")
        while True:
            rows = self._all(
                "SELECT t_ns, key, json FROM document WHERE wearer=? AND kind=? AND (t_ns, key) >= (?, ?) AND t_ns < ?"
                " ORDER BY t_ns, key LIMIT ?",
                (wearer, kind, *place, end_ns, _PAGE),
            )
            yield from (document_from(row[2]) for row in rows)
            if len(rows) < _PAGE:
                return
            place = (rows[-1][0], rows[-1][1] + "\0")

    def latest(self, wearer: str, kind: str) -> Result | None:
        """The newest result of a kind."""
        if kind == "posture":
            rows = self._all(f"{GET_POSTURES} ORDER BY t_ns DESC LIMIT 1", (wearer,))
            return posture_from(rows[0]) if rows else None
        rows = self._all(
            "SELECT json FROM document WHERE wearer=? AND kind=? ORDER BY t_ns DESC, key DESC LIMIT 1", (wearer, kind)
        )
        return document_from(rows[0][0]) if rows else None

    def devices(self, wearer: str) -> dict[str, dict[str, Any]]:
        """The last known health of each site's device, plus `seen_ns`."""
        rows = self._all("SELECT site, json, seen_ns FROM device WHERE wearer=? ORDER BY site", (wearer,))
        return {row[0]: {**json.loads(row[1]), "seen_ns": row[2]} for row in rows}

    def samples(self, wearer: str | None = None) -> int:
        """Samples in blocks whose results are committed, of one wearer or of all."""
        where, values = ("", ()) if wearer is None else (" WHERE wearer=?", (wearer,))
        return int(self._all(f"SELECT coalesce(sum(samples), 0) FROM stream{where}", values)[0][0])  # noqa: S608  # own constants

    def state(self, wearer: str) -> tuple[bytes, ...] | None:
        """The parts of a wearer's pipeline state behind the last block committed."""
        with self._lock, explained(self._path):
            return state_of(self._db, wearer)

    def outbox(self, after: int, limit: int) -> list[Row]:
        """Rows of the outbox behind an id, in order."""
        found = self._all("SELECT id, wearer, site, json FROM outbox WHERE id>? ORDER BY id LIMIT ?", (after, limit))
        return [Row(row[0], row[1], row[2], from_json(row[3])) for row in found]

    def _postures(self, wearer: str, start_ns: int, end_ns: int) -> Iterator[Result]:
        while True:
            rows = self._all(
                f"{GET_POSTURES} AND t_ns >= ? AND t_ns < ? ORDER BY t_ns LIMIT ?", (wearer, start_ns, end_ns, _PAGE)
            )
            yield from (posture_from(row) for row in rows)
            if len(rows) < _PAGE:
                return
            start_ns = rows[-1][0] + 1

    def _all(self, query: str, values: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock, explained(self._path):
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.ProgrammingError as error:
                raise OSError(f"closed: {error}") from None


def open_reader(path: Path) -> SqliteReader:
    """Read the store at a path, beside whoever writes it."""
    return SqliteReader(path)
