"""Found recordings through the worker's session: the same order, pipeline and transactions as live samples.

So an import that is stopped goes on where its last commit was, and importing twice changes nothing: what was taken is
known by its content. It needs the store for itself; nothing goes over a broker.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass

from analytics.imports._table import Found
from analytics.pipeline import finish, load_state
from analytics.store import Commit, Store
from analytics.worker._engine import default_pipeline
from analytics.worker._link import READER
from analytics.worker._session import Session
from sagittal.blocks import Block
from sagittal.codec import encode_block
from sagittal.errors import RecordingError
from sagittal.results import Angles, Result
from sagittal.settings import Nudges, Settings

_COMMIT_BLOCKS = 300


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: streams done, of how many, samples taken, and the file at hand."""

    done: int
    of: int
    samples: int
    what: str


class Importing:
    """One import into the store of the settings; nobody else may write to it meanwhile.

    Raises
    ------
    StoreError
        Where the store can't be written.
    """

    def __init__(self, settings: Settings) -> None:
        silent = [profile.model_copy(update={"nudges": Nudges()}) for profile in settings.wearers]
        worker = f"import-{secrets.token_hex(3)}"
        muted = settings.model_copy(update={"wearers": silent})
        with ExitStack() as undo:
            self._store = undo.enter_context(closing(Store(settings.store_path, worker)))
            self._session = Session(self._store, muted, default_pipeline(), worker)
            self._told = self._store.position(READER)
            undo.pop_all()

    def close(self) -> None:
        """Let the store go."""
        self._store.close()

    def run(
        self, found: Sequence[Found], tell: Callable[[Progress], None], stopped: Callable[[], bool]
    ) -> tuple[int, int]:
        """Take every stream, those of one wearer that overlap together; (samples taken, streams known already).

        Raises
        ------
        RecordingError
            Where a file can't be read, or lies before what is stored of its wearer; what went before it stays stored.
        """
        done = skipped = 0
        for group in _groups(found):
            fresh = [(one, boot) for one, boot in ((one, one.boot_id) for one in group) if self._is_new(one, boot)]
            skipped += len(group) - len(fresh)
            for index, block in enumerate(_in_time(fresh)):
                self._session.take_block(block.wearer, block.site, encode_block(block))
                if index % _COMMIT_BLOCKS == _COMMIT_BLOCKS - 1:
                    self._commit()
                    tell(Progress(done, len(found), self._session.counts.samples, fresh[0][0].path.name))
                    if stopped():
                        return self._session.counts.samples, skipped
            self._commit()
            done += len(group)
            tell(Progress(done, len(found), self._session.counts.samples, group[0].path.name))
        self._close_days(list(dict.fromkeys(one.wearer for one in found)))
        return self._session.counts.samples, skipped

    def _is_new(self, one: Found, boot: bytes) -> bool:
        """Whether a stream has something that is not stored yet; it may have been begun."""
        place = (one.wearer, one.site)
        stream = next((stream for stream in self._store.streams() if (stream.wearer, stream.site) == place), None)
        if stream is None or boot == stream.cursor.boot_id:
            return True
        if boot in stream.boots:
            return False
        if one.start_ns < stream.end_ns:
            raise RecordingError(
                f"{one.path} begins before what is stored of {one.wearer} already: import older files first, or into "
                "a wearer of their own with --wearer"
            )
        return True

    def _close_days(self, wearers: Sequence[str]) -> None:
        """Tell the minute, day and walk that are still open; the state stays open for what may follow."""
        results: list[tuple[str, Result]] = []
        for wearer in wearers:
            saved = self._store.state(wearer)
            if saved is not None:
                found = finish(load_state(saved))[1]
                results += [(wearer, result) for result in found if not isinstance(result, Angles)]
        rows = self._store.commit(Commit(results=results, positions={READER: self._told}))
        self._told = rows[-1].id if rows else self._told
        self._commit()

    def _commit(self) -> None:
        """Commit; what is imported is not told over MQTT, which is for what happens now, but to every sink."""
        committed = self._session.commit({READER: self._told})
        if committed.rows:
            self._told = committed.rows[-1].id


def _groups(found: Iterable[Found]) -> Iterator[list[Found]]:
    """Streams of one wearer that begin at one instant: one recording of several sensors."""
    group: list[Found] = []
    for one in found:
        if group and (one.wearer, one.start_ns) != (group[0].wearer, group[0].start_ns):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _in_time(streams: Sequence[tuple[Found, bytes]]) -> Iterator[Block]:
    return heapq.merge(*(one.blocks(boot) for one, boot in streams), key=lambda block: block.t0_ns)
