"""The thresholds of posture as numbers, read once."""

from __future__ import annotations

import math

from sagittal.thresholds import threshold

LYING_DEG = threshold("posture.lying_deg")
LYING_ENDS_DEG = threshold("posture.lying_ends_deg")
SITTING_TILT_DEG = threshold("posture.sitting_tilt_deg")
STILL_RADPS = math.radians(threshold("posture.still_dps"))
STILL_MPS2 = threshold("posture.still_mps2")
LOWER_M = threshold("posture.lower_m")
HIP_AHEAD_M = threshold("posture.hip_ahead_m")
HIP_ABOVE_M = threshold("posture.hip_above_m")
LOWER_MARGIN_M = threshold("posture.lower_margin_m")
TURN_ONE_SIDE_DEG = threshold("posture.turn_one_side_deg")
TURN_BOTH_SIDES_DEG = threshold("posture.turn_both_sides_deg")
UPRIGHT_DEG = threshold("posture.upright_again_deg")
BEND_DEG = threshold("posture.bend_min_deg")
COS_BEND = math.cos(math.radians(BEND_DEG))
BEND_PEAK_DEG = threshold("posture.bend_peak_deg")
BEND_LEAST_S = threshold("posture.bend_least_s")
RISE_M = threshold("posture.rise_m")
LYING_DROP_M = threshold("posture.lying_drop_m")
SEATS_PER_SQUAT = threshold("posture.seats_per_squat")
FACE_DEG = threshold("posture.face_deg")
NOT_WORN_RADPS = math.radians(threshold("posture.not_worn_dps"))
NOT_WORN_MEAN_RADPS = math.radians(threshold("posture.not_worn_mean_dps"))
NOT_WORN_S = round(threshold("posture.not_worn_s"))
EXPIRES_S = 3600.0 * threshold("calibration.expires_h")
EXPIRES_GAP_S = 3600.0 * threshold("calibration.gap_h")
THIGH_DEG = threshold("posture.thigh_deg")
