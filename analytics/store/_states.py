"""The pipeline's states in the store, in parts: only those that are new are written, for the sake of SD cards."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from hashlib import blake2b

_DIGEST = 16


def put_states(db: sqlite3.Connection, states: Mapping[str, Sequence[bytes]]) -> None:
    """Put wearers' states in the place of those before; call it within a transaction."""
    for wearer, parts in states.items():
        digests = [blake2b(part, digest_size=_DIGEST).digest() for part in parts]
        held = {bytes(row[0]) for row in db.execute("SELECT digest FROM state_part WHERE wearer=?", (wearer,))}
        named = dict(zip(digests, parts, strict=True))
        gone = [(wearer, digest) for digest in held - named.keys()]
        db.executemany("DELETE FROM state_part WHERE wearer=? AND digest=?", gone)
        new = [(wearer, digest, part) for digest, part in named.items() if digest not in held]
        db.executemany("INSERT INTO state_part VALUES (?,?,?)", new)
        db.execute("INSERT OR REPLACE INTO state VALUES (?,?)", (wearer, b"".join(digests)))


def state_of(db: sqlite3.Connection, wearer: str) -> tuple[bytes, ...] | None:
    """The parts of a wearer's state in order, None where there is none; a part that is missing is empty."""
    rows = db.execute(
        "SELECT state.data, digest, part.data FROM state LEFT JOIN state_part AS part USING (wearer) WHERE wearer=?",
        (wearer,),
    ).fetchall()
    if not rows:
        return None
    order, parts = bytes(rows[0][0]), {row[1]: row[2] for row in rows}
    return tuple(bytes(parts.get(order[at : at + _DIGEST], b"")) for at in range(0, len(order), _DIGEST))
