"""Posture from one lower-back sensor, helped by a second one where there is one."""

from analytics.posture._calibration import Method
from analytics.posture._operator import (
    PostureState,
    Seen,
    posture_break,
    posture_calibrate,
    posture_go_on,
    posture_goes_on,
    posture_mounting,
    posture_prepare,
    posture_step,
    posture_walks,
)
from analytics.posture._prepared import Prepared
from analytics.posture._seconds import Seconds, Walking
from analytics.posture._statistics import Statistics, Stay, close, in_bands, observe, trunk_band

__all__ = [
    "Method",
    "PostureState",
    "Prepared",
    "Seconds",
    "Seen",
    "Statistics",
    "Stay",
    "Walking",
    "close",
    "in_bands",
    "observe",
    "posture_break",
    "posture_calibrate",
    "posture_go_on",
    "posture_goes_on",
    "posture_mounting",
    "posture_prepare",
    "posture_step",
    "posture_walks",
    "trunk_band",
]
