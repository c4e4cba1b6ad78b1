"""Who may see whom: tokens, log-ins, consent, and a record of who looked.

Everything secret is kept as a hash: tokens, sessions and pairing codes (256 bits of randomness, or short-lived) as
SHA-256, passwords as argon2id by pwdlib. Consent and rights are read with every request, so that withdrawing works at
once, on open streams too. The record holds pseudonym, actor, action and outcome, never content.
"""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sagittal.errors import SagittalError, StoreError
from sagittal.names import check_name

_DAY_S = 86_400
SESSION_S = {"wearer": 30 * _DAY_S, "clinician": _DAY_S // 2}
PAIRING_S = 600
TOKEN_DAYS = 365
AUDIT_DAYS = 3 * 365
_WINDOW_S = 300.0
_TRIES_PER_WINDOW = 10

_PRAGMAS = "PRAGMA journal_mode=WAL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS actor (name TEXT PRIMARY KEY, role TEXT NOT NULL, wearer TEXT, password TEXT);
CREATE TABLE IF NOT EXISTS secret (
    hash TEXT PRIMARY KEY, kind TEXT NOT NULL, actor TEXT NOT NULL REFERENCES actor(name) ON DELETE CASCADE,
    expires REAL NOT NULL);
CREATE TABLE IF NOT EXISTS consent (
    id INTEGER PRIMARY KEY, wearer TEXT NOT NULL, actor TEXT NOT NULL, text_version TEXT NOT NULL,
    given REAL NOT NULL, withdrawn REAL);
CREATE TABLE IF NOT EXISTS audit (
    id INTEGER PRIMARY KEY, t REAL NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, wearer TEXT,
    outcome TEXT NOT NULL);
"""


class AccessRefused(SagittalError):
    """A name, password, code or token that does not open anything."""


class TooManyTries(AccessRefused):
    """Too many failed log-ins: wait."""


class Role(StrEnum):
    """What an actor may do."""

    LOCAL = "local"
    """Whoever sits at the machine, where no log-in is asked: everything."""
    WEARER = "wearer"
    """Their own data, to read and to write."""
    CLINICIAN = "clinician"
    """The data of wearers who agreed, to read."""
    PROGRAM = "program"
    """One wearer's data, to read."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks."""

    actor: str
    role: Role
    wearer: str | None = None


LOCAL = Viewer("local", Role.LOCAL)


@dataclass(frozen=True, slots=True)
class Consent:
    """A wearer's agreement that an actor may look; `withdrawn` is absent while it holds. Seconds since 1970."""

    wearer: str
    actor: str
    text_version: str
    given: float
    withdrawn: float | None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One look, or one refused attempt, at a wearer's data. Seconds since 1970."""

    t: float
    actor: str
    action: str
    wearer: str | None
    outcome: str


class Access:
    """The book of actors, secrets, consents and looks, in one small SQLite file; safe from any thread."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tries: dict[str, list[float]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            try:
                self._db.executescript(f"{_PRAGMAS} {_SCHEMA}")
            except BaseException:
                self._db.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the access book {path} can't be opened ({error}): check its folder's rights") from None

    def add_actor(self, name: str, role: Role, wearer: str | None, password: str | None = None) -> None:
        """Add or change an actor; wearers and programs belong to one wearer, clinicians to none."""
        check_name("actor", name)
        if (role in (Role.WEARER, Role.PROGRAM)) != (wearer is not None):
            raise AccessRefused(f"role {role} {'needs' if wearer is None else 'takes no'} wearer")
        hashed = _hash_password(password) if password else None
        with self._write() as db:
            db.execute(
                "INSERT INTO actor VALUES (?,?,?,?) ON CONFLICT(name) DO UPDATE SET role=excluded.role, "
                "wearer=excluded.wearer, password=coalesce(excluded.password, password)",
                (name, str(role), wearer, hashed),
            )

    def actors(self) -> list[str]:
        """Everyone who is known, by name."""
        return [row[0] for row in self._all("SELECT name FROM actor ORDER BY name", ())]

    def remove_actor(self, name: str) -> None:
        """Remove an actor with all secrets; open sessions end at once."""
        with self._write() as db:
            db.execute("DELETE FROM actor WHERE name=?", (name,))

    def token(self, actor: str, days: float = TOKEN_DAYS) -> str:
        """A new token for a program or person; shown once, kept as a hash."""
        return self._secret("token", actor, days * _DAY_S)

    def pairing_code(self, actor: str) -> str:
        """A code that opens one session, once, within ten minutes."""
        return self._secret("pairing", actor, PAIRING_S)

    def open_session(self, actor: str) -> str:
        """A new session's secret."""
        role = self._actor(actor).role
        return self._secret("session", actor, SESSION_S.get(role, _DAY_S // 2))

    def close_session(self, session: str) -> None:
        """End a session."""
        with self._write() as db:
            db.execute("DELETE FROM secret WHERE hash=? AND kind='session'", (_digest(session),))

    def pair(self, code: str, source: str) -> str:
        """A session for a pairing code, which is used up.

        Raises
        ------
        AccessRefused
            Where the code is unknown, used or too old; TooManyTries after ten failures in five minutes.
        """
        self._hold_back(source)
        with self._write() as db:
            row = db.execute(
                "DELETE FROM secret WHERE hash=? AND kind='pairing' AND expires>? RETURNING actor",
                (_digest(code), self._clock()),
            ).fetchone()
        if row is None:
            self._failed(source)
            raise AccessRefused("this code is not valid any more: ask for a new one with `sagittal access pair`")
        return self.open_session(row[0])

    def log_in(self, actor: str, password: str, source: str) -> str:
        """A session for a name and password.

        Raises
        ------
        AccessRefused
            Where they do not fit; TooManyTries after ten failures in five minutes, before any hashing.
        """
        self._hold_back(source)
        row = self._one("SELECT password FROM actor WHERE name=?", (actor,))
        if not _password_fits(password, row[0] if row else None):
            self._failed(source)
            raise AccessRefused("name and password do not fit")
        return self.open_session(actor)

    def viewer(self, secret: str, kind: str) -> Viewer | None:
        """Who holds a token or session; None where it opens nothing."""
        row = self._one(
            "SELECT actor.name, role, wearer FROM secret JOIN actor ON actor.name=secret.actor "
            "WHERE hash=? AND kind=? AND expires>?",
            (_digest(secret), kind, self._clock()),
        )
        return None if row is None else Viewer(row[0], Role(row[1]), row[2])

    def may_see(self, viewer: Viewer, wearer: str) -> bool:
        """Whether a wearer's data are open to a viewer now."""
        if viewer.role is Role.LOCAL:
            return True
        if viewer.role is Role.CLINICIAN:
            sql = "SELECT 1 FROM consent WHERE wearer=? AND actor=? AND withdrawn IS NULL"
            return self._one(sql, (wearer, viewer.actor)) is not None
        return viewer.wearer == wearer

    def give_consent(self, wearer: str, actor: str, text_version: str) -> None:
        """Record that a wearer lets an actor look."""
        check_name("wearer", wearer)
        if self._actor(actor).role is not Role.CLINICIAN:
            raise AccessRefused(f"{actor} is no clinician: only clinicians need consent")
        self.withdraw_consent(wearer, actor)
        with self._write() as db:
            db.execute(
                "INSERT INTO consent (wearer, actor, text_version, given) VALUES (?,?,?,?)",
                (wearer, actor, text_version, self._clock()),
            )

    def withdraw_consent(self, wearer: str, actor: str) -> None:
        """Take consent back; it works with the next request and closes open streams."""
        with self._write() as db:
            db.execute(
                "UPDATE consent SET withdrawn=? WHERE wearer=? AND actor=? AND withdrawn IS NULL",
                (self._clock(), wearer, actor),
            )

    def consents(self, wearer: str) -> list[Consent]:
        """Every consent of a wearer, withdrawn ones too, oldest first."""
        sql = "SELECT wearer, actor, text_version, given, withdrawn FROM consent WHERE wearer=? ORDER BY id"
        return [Consent(*row) for row in self._all(sql, (wearer,))]

    def record(self, viewer: Viewer | None, action: str, wearer: str | None, outcome: str) -> None:
        """Write down a look or a refused attempt; rows older than three years go."""
        now = self._clock()
        with self._write() as db:
            db.execute(
                "INSERT INTO audit (t, actor, action, wearer, outcome) VALUES (?,?,?,?,?)",
                (now, viewer.actor if viewer else "nobody", action, wearer, outcome),
            )
            db.execute("DELETE FROM audit WHERE t<?", (now - AUDIT_DAYS * _DAY_S,))

    def audit(self, wearer: str | None = None) -> list[AuditRow]:
        """Who looked at a wearer (or at anyone), oldest first."""
        where, values = ("WHERE wearer=?", (wearer,)) if wearer else ("", ())
        sql = f"SELECT t, actor, action, wearer, outcome FROM audit {where} ORDER BY id"  # noqa: S608  # constant text
        return [AuditRow(*row) for row in self._all(sql, values)]

    def erase(self, wearer: str) -> None:
        """Delete a wearer's actors, secrets and consents; the record of looks stays, as the law asks."""
        with self._write() as db:
            db.execute("DELETE FROM consent WHERE wearer=?", (wearer,))
            db.execute("DELETE FROM actor WHERE wearer=?", (wearer,))
        with self._lock:
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Release the file; may be called twice."""
        with self._lock:
            self._db.close()

    def _secret(self, kind: str, actor: str, lasts_s: float) -> str:
        self._actor(actor)
        secret = secrets.token_urlsafe(32)
        now = self._clock()
        with self._write() as db:
            db.execute("DELETE FROM secret WHERE expires<=?", (now,))
            db.execute("INSERT INTO secret VALUES (?,?,?,?)", (_digest(secret), kind, actor, now + lasts_s))
        return secret

    def _actor(self, name: str) -> Viewer:
        row = self._one("SELECT name, role, wearer FROM actor WHERE name=?", (name,))
        if row is None:
            raise AccessRefused(f"no actor {name!r} is known: add one with `sagittal access add`")
        return Viewer(row[0], Role(row[1]), row[2])

    def _hold_back(self, source: str) -> None:
        since = self._clock() - _WINDOW_S
        with self._lock:
            recent = [t for t in self._tries.get(source, []) if t > since]
            self._tries = {name: tries for name, tries in self._tries.items() if tries[-1] > since}
            if recent:
                self._tries[source] = recent
        if len(recent) >= _TRIES_PER_WINDOW:
            raise TooManyTries("too many failed attempts: wait five minutes")

    def _failed(self, source: str) -> None:
        with self._lock:
            self._tries.setdefault(source, []).append(self._clock())

    def _one(self, sql: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        rows = self._all(sql, values)
        return rows[0] if rows else None

    def _all(self, sql: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock, closing(self._db.execute(sql, values)) as found:
            return found.fetchall()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _hash_password(password: str) -> str:
    from pwdlib import PasswordHash

    return PasswordHash.recommended().hash(password)


def _password_fits(password: str, hashed: str | None) -> bool:
    from pwdlib import PasswordHash

    hasher = PasswordHash.recommended()
    if hashed is None:  # an unknown name takes as long as a wrong password
        hasher.hash(password)
        return False
    return hasher.verify(password, hashed)
