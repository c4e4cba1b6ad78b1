"""Python's collector of cycles, in processes that take stream after stream: it has nothing to find and much to see."""

from __future__ import annotations

import gc

NEW_OBJECTS = 20_000
"""After so many more objects than were freed there is a collection: Python's own 700 are a minute's results."""


def collect_seldom() -> None:
    """Leave what there is now out of the collector's rounds, modules above all, and have it go round less often.

    States and results hold no cycles, so a round frees next to nothing; every one looks at all results that are young.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
