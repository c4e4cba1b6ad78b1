"""Which block comes next: order and uniqueness of one stream, by the rules of docs/wire.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sagittal.blocks import Block, Cursor, Gap, GapReason

MAX_HELD = 512
"""Blocks of one stream that wait for an earlier one; what comes beyond stays with the bridge."""


class StreamOrder:
    """Takes blocks as they arrive and gives them back once each, in order.

    Parameters
    ----------
    cursor, end_ns
        The last block taken and the time behind it; None where nothing was taken yet.
    boots
        Every boot_id the stream has gone through: their blocks are repetitions.
    asks
        Whether a bridge hears how far the stream is. Else a head whose gap counts what was taken will not come again
        with a better one, and is taken with a gap without number.

    Attributes
    ----------
    run
        The first block of the unbroken run that ends with the cursor, as far as is known.
    stale
        Whether a head was refused because its gap counts what was taken: the bridge must hear of the mark.
    """

    def __init__(
        self,
        cursor: Cursor | None = None,
        end_ns: int = 0,
        boots: Iterable[bytes] = (),
        *,
        max_held: int = MAX_HELD,
        asks: bool = True,
    ) -> None:
        self.cursor = cursor
        self.end_ns = end_ns
        self.repeats = 0
        self.refused = 0
        self.run = cursor
        self.stale = False
        self._boots = set(boots)
        self._max_held = max_held
        self._asks = asks
        self._held: dict[Cursor, Block] = {}
        self._after: dict[Cursor, Cursor] = {}

    @property
    def waiting(self) -> int:
        """Blocks that wait for an earlier one."""
        return len(self._held)

    def offer(self, block: Block) -> list[Block]:
        """The blocks that may be taken now, in order: none, this one, or this one and what waited for it."""
        if self._is_repeat(block) or (block.cursor in self._held and not block.head):
            self.repeats += 1
            return []
        if self._counts_what_is_here(block):
            if self._asks:
                self.stale = True
                return []
            gap = Gap(GapReason.OVERRUN, None, max(0, block.t0_ns - self.end_ns))
            block = replace(block, gap_before=gap)
        if not self._comes_next(block):
            self._hold(block)
            return []
        taken = [self._take(block)]
        while (following := self._following()) is not None:
            taken.append(self._take(following))
        self._drop_stale()
        return taken

    def skip(self) -> list[Block]:
        """Give up what is missing: the blocks from the earliest that waits on, the first with the hole marked."""
        if not self._held:
            return []
        first = min(self._held.values(), key=lambda block: (block.t0_ns, block.seq))
        del self._held[first.cursor]
        return self.offer(first.with_head())

    def _is_repeat(self, block: Block) -> bool:
        cursor = self.cursor
        if cursor is not None and block.boot_id == cursor.boot_id:
            return block.seq <= cursor.seq
        return block.boot_id in self._boots

    def _counts_what_is_here(self, block: Block) -> bool:
        cursor, since = self.cursor, block.gap_before.since if block.gap_before else None
        if cursor is None or since is None:
            return False
        if since.boot_id == cursor.boot_id:
            return since.seq <= cursor.seq
        return cursor.boot_id == block.boot_id or since.boot_id in self._boots

    def _comes_next(self, block: Block) -> bool:
        cursor = self.cursor
        if block.head:
            return True
        if cursor is None:
            return False
        if block.boot_id == cursor.boot_id:
            return block.seq == cursor.seq + 1
        return block.seq == 0 and block.follows == cursor

    def _hold(self, block: Block) -> None:
        if len(self._held) >= self._max_held:
            self.refused += 1
            return
        self._held[block.cursor] = block
        if block.follows is not None:
            self._after[block.follows] = block.cursor

    def _following(self) -> Block | None:
        cursor = self.cursor
        if cursor is None:
            return None
        found = self._held.pop(Cursor(cursor.boot_id, cursor.seq + 1), None)
        if found is None and (linked := self._after.pop(cursor, None)) is not None:
            found = self._held.pop(linked, None)
        return found

    def _take(self, block: Block) -> Block:
        self._held.pop(block.cursor, None)
        if not self._follows_on(block):
            block = self._marked(block)
            self.run = block.cursor
        self.cursor, self.end_ns = block.cursor, block.end_ns
        self._boots.add(block.boot_id)
        self.stale = False
        return block

    def _follows_on(self, block: Block) -> bool:
        cursor = self.cursor
        if cursor is None or (block.gap_before is not None and block.gap_before.since is not None):
            return False
        return block.follows == cursor or block.cursor == Cursor(cursor.boot_id, cursor.seq + 1)

    def _marked(self, block: Block) -> Block:
        """A block after a hole, with a gap that says so: with a number only where it is that of all that is missing."""
        cursor, gap = self.cursor, block.gap_before
        if gap is not None and gap.since is not None:
            self._boots.add(gap.since.boot_id)
        if cursor is None or (gap is not None and gap.since == Cursor(cursor.boot_id, cursor.seq + 1)):
            return block
        duration_ns = max(0, block.t0_ns - self.end_ns)
        if gap is None:
            return replace(block, gap_before=Gap(GapReason.LOST, None, duration_ns))
        return replace(block, gap_before=replace(gap, samples=None, duration_ns=max(gap.duration_ns, duration_ns)))

    def _drop_stale(self) -> None:
        for place in [place for place, block in self._held.items() if self._is_repeat(block)]:
            block = self._held.pop(place)
            if block.follows is not None:
                self._after.pop(block.follows, None)
