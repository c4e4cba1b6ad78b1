"""From samples of a stretch of walking to evidence."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analytics._window import GRID_HZ, FloatArray, Window
from analytics.compensation._course import Course, course_of
from analytics.compensation._evidence import LEGS, GaitEvidence, deal
from analytics.compensation._legs import leg_sums, leg_windows
from analytics.compensation._spectrum import spectrum
from analytics.compensation._strides import channels, find_strides
from analytics.compensation._trunk import trunk_sums

PRIMARY = ("lower_back", "pelvis", "waist")
_SHORTEST_S = 3.0


def analyse_stretch(
    windows: Mapping[str, Window],
    *,
    since_start_s: float = 0.0,
    forward: FloatArray | None = None,
    usual_forward: FloatArray | None = None,
) -> tuple[GaitEvidence, Course]:
    """Evidence of one stretch of walking (at most 120 s) and its course in time.

    Parameters
    ----------
    windows
        Site to window on a common time axis; clocks may be some hundred ms apart, for every sensor finds its own
        strides. Turns, pauses, first and last steps may be in it: they are found and left out.
    since_start_s
        When the stretch begins, counted from the start of its bout.
    forward
        Walking direction in the frame of the lower-back sensor where the mounting is known; else it is found from
        the stretch itself.
    usual_forward
        The same as other walking has shown it: used where the stretch itself has too few strides for its axes.
    """
    present = {site: window for site, window in windows.items() if _usable(window)}
    legs = {side: leg_sums(*leg_windows(present, side)) for side in LEGS}
    trunk = trunk_sums(present.get("upper_trunk"))
    sites = tuple(sorted(present))
    lead = next((present[site] for site in PRIMARY if site in present), None)
    if lead is None:
        return GaitEvidence(legs=legs, trunk=trunk, sites=sites), Course()
    body = channels(lead)
    strides = find_strides(lead, body)
    if strides is None:
        return GaitEvidence(legs=legs, trunk=trunk, sites=sites), Course()
    found = spectrum(body, strides, forward)
    if found is None and usual_forward is not None:
        found = spectrum(body, strides, usual_forward)
    seen = len(strides.start)
    if found is None:
        return GaitEvidence(seen=seen, legs=legs, trunk=trunk, sites=sites), Course()
    evidence = GaitEvidence(deal(found.rows), len(found.rows), seen, legs, trunk, sites)
    return evidence, course_of(found.rows, since_start_s + found.at / GRID_HZ)


def _usable(window: Window) -> bool:
    """Whether a window is long enough and holds numbers only."""
    if len(window) < _SHORTEST_S * GRID_HZ:
        return False
    return bool(np.isfinite(window.acc.sum() + window.gyr.sum() + window.up.sum()))
