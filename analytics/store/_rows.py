"""Results as rows and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import fields

from sagittal.names import PostureLabel
from sagittal.results import Posture, Result, result_key
from sagittal.schema import from_json, to_json

POSTURE_COLUMNS = tuple(one.name for one in fields(Posture) if one.name != "kind")
_SELECTED = ", ".join(POSTURE_COLUMNS)

PUT_POSTURE = (
    f"INSERT OR REPLACE INTO posture (wearer, {_SELECTED})"  # noqa: S608  # own constants
    f" VALUES (?, {', '.join('?' * len(POSTURE_COLUMNS))})"
)
PUT_DOCUMENT = "INSERT OR REPLACE INTO document (wearer, kind, t_ns, key, json) VALUES (?,?,?,?,?)"
GET_POSTURES = f"SELECT {_SELECTED} FROM posture WHERE wearer=?"  # noqa: S608  # own constants


def put_results(db: sqlite3.Connection, rows: Iterable[tuple[str, Result]]) -> None:
    """Write results under their keys, replacing what stood there."""
    postures: list[tuple[object, ...]] = []
    documents: list[tuple[object, ...]] = []
    for wearer, result in rows:
        if isinstance(result, Posture):
            postures.append((wearer, *(getattr(result, name) for name in POSTURE_COLUMNS)))
        else:
            kind, t_ns, key = result_key(result)
            documents.append((wearer, kind, t_ns, key, to_json(result).decode()))
    db.executemany(PUT_POSTURE, postures)
    db.executemany(PUT_DOCUMENT, documents)


def posture_from(row: tuple[object, ...]) -> Posture:
    """A posture from its columns."""
    values = dict(zip(POSTURE_COLUMNS, row, strict=True))
    values["posture"] = PostureLabel(str(values["posture"]))
    return Posture(**values)  # type: ignore[arg-type]  # the columns are typed by the table


def document_from(json: str) -> Result:
    """A result from its document."""
    return from_json(json)
