"""The upper trunk: how far it leans sideways with every stride, against the pelvis."""

from __future__ import annotations

import numpy as np

from analytics._window import FloatArray, Window
from analytics.compensation._spectrum import SideView, side_view
from analytics.compensation._strides import channels, find_strides

TRUNK_SLOTS = ("strides", "lean", "right_down", "left_down")
"""Strides, and their sums of frontal ranges and of leans to the right and to the left of the stride's mean, rad."""


def trunk_sums(window: Window | None) -> FloatArray:
    """Strides of the upper trunk and the sums of their frontal movement."""
    found: SideView | None = None
    if window is not None:
        body = channels(window)
        strides = find_strides(window, body)
        found = side_view(body, strides) if strides is not None else None
    if found is None:
        return np.zeros(len(TRUNK_SLOTS))
    return found.strides * np.array([1.0, float(np.ptp(found.roll)), float(found.roll.max()), -float(found.roll.min())])
