"""The upper trunk: how far it leans sideways with every stride, against the pelvis."""

from __future__ import annotations

import numpy as np

from analytics._window import FloatArray, Window
from analytics.compensation._spectrum import SLOT, spectrum
from analytics.compensation._strides import channels, find_strides

TRUNK_SLOTS = ("strides", "lean", "right_down", "left_down")
"""Strides, and their sums of frontal ranges and of leans to the right and to the left of the stride's mean, rad."""


def trunk_sums(window: Window | None) -> FloatArray:
    """Strides of the upper trunk and the sums of their frontal movement."""
    if window is None:
        return np.zeros(len(TRUNK_SLOTS))
    body = channels(window)
    strides = find_strides(window, body)
    found = spectrum(body, strides, None) if strides is not None else None
    if found is None:
        return np.zeros(len(TRUNK_SLOTS))
    total = found.rows.sum(axis=0)
    return np.array([total[SLOT[name]] for name in ("strides", "range_roll", "right_down", "left_down")])
