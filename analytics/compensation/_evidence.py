"""Evidence of gait that adds up: over pieces of a bout, bouts, a recording or a day, in constant memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from analytics._window import FloatArray
from analytics.compensation._legs import LEG_SLOTS
from analytics.compensation._spectrum import SLOT, SLOTS
from analytics.compensation._trunk import TRUNK_SLOTS

GROUPS = 8
"""Blocks of strides are dealt out to so many groups in turn; leaving one out at a time gives the uncertainty."""

_DEALT = [(np.arange(GROUPS) - begun) % GROUPS for begun in range(GROUPS)]
"""Which of a later piece's groups falls to each group, by how many were dealt a block in the last turn."""

LEGS = ("left", "right")


@dataclass(frozen=True, slots=True, eq=False)
class GaitEvidence:
    """Sums over strides; `merge` is associative, so pieces may be joined in any grouping (but in their order).

    Attributes
    ----------
    pelvis
        (GROUPS, len(SLOTS)) sums over good strides.
    blocks
        Blocks dealt out so far.
    seen
        Strides found, good or not.
    legs
        Side to (len(LEG_SLOTS),) sums over that leg's strides.
    trunk
        (len(TRUNK_SLOTS),) sums over the upper trunk's strides.
    sites
        Sites that brought samples.
    """

    pelvis: FloatArray = field(default_factory=lambda: np.zeros((GROUPS, len(SLOTS))))
    blocks: int = 0
    seen: int = 0
    legs: Mapping[str, FloatArray] = field(default_factory=lambda: {side: np.zeros(len(LEG_SLOTS)) for side in LEGS})
    trunk: FloatArray = field(default_factory=lambda: np.zeros(len(TRUNK_SLOTS)))
    sites: tuple[str, ...] = ()

    @property
    def strides(self) -> int:
        """Good strides of the pelvis."""
        return round(float(self.pelvis[:, SLOT["strides"]].sum()))

    @property
    def empty(self) -> bool:
        """Whether no stride of any sensor is in it."""
        return not (self.seen or self.trunk[0] or any(sums.any() for sums in self.legs.values()))

    def merge(self, later: GaitEvidence) -> GaitEvidence:
        """This evidence and what came after it; the same where that is nothing, so that it need not be judged again."""
        if later.empty and {*later.sites} <= {*self.sites}:
            return self
        return GaitEvidence(
            pelvis=self.pelvis + later.pelvis[_DEALT[self.blocks % GROUPS]],
            blocks=self.blocks + later.blocks,
            seen=self.seen + later.seen,
            legs={side: self.legs[side] + later.legs[side] for side in LEGS},
            trunk=self.trunk + later.trunk,
            sites=tuple(sorted({*self.sites, *later.sites})),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values and arrays; `from_dict` gives back the same evidence, bit for bit."""
        return {
            "pelvis": self.pelvis,
            "blocks": self.blocks,
            "seen": self.seen,
            "legs": dict(self.legs),
            "trunk": self.trunk,
            "sites": list(self.sites),
        }

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> GaitEvidence:
        """Evidence from what `to_dict` gave; lists instead of arrays are fine.

        Evidence of another version, whose sums mean something else, starts anew.
        """
        pelvis = np.array(state["pelvis"], dtype=float)
        if pelvis.shape != (GROUPS, len(SLOTS)):
            return cls()
        return cls(
            pelvis=pelvis,
            blocks=int(state["blocks"]),
            seen=int(state["seen"]),
            legs={side: np.array(state["legs"][side], dtype=float) for side in LEGS},
            trunk=np.array(state["trunk"], dtype=float),
            sites=tuple(state["sites"]),
        )


def deal(rows: FloatArray) -> FloatArray:
    """Blocks dealt out to the groups in turn."""
    pelvis = np.zeros((GROUPS, len(SLOTS)))
    for turn in range(0, len(rows), GROUPS):
        dealt = rows[turn : turn + GROUPS]
        pelvis[: len(dealt)] += dealt
    return pelvis
