"""Features of a thigh or shank: no axis is known, so rates are taken about the axis about which it swings."""

from __future__ import annotations

import numpy as np

from simulators.validate._features import Walked, band_rms

LEG_FEATURES = ("rate_rms_dps", "rate_peak_dps", "rate_low_dps", "acc_rms", "acc_above_10_hz", "acc_p999")


def leg_features(walked: Walked) -> dict[str, float]:
    """Swing rate: RMS, 99th and 1st percentile, °/s; acceleration: RMS, above 10 Hz, 99.9th percentile of |a|, m/s².

    The first and last five seconds are left out.
    """
    rows = slice(500, -500)
    acc, gyr = walked.acc[rows], np.degrees(walked.gyr[rows] - walked.gyr[rows].mean(axis=0))
    axis = np.linalg.eigh(np.cov(gyr.T))[1][:, -1]
    swing = gyr @ axis
    if swing.max() < -swing.min():
        swing = -swing
    moved = acc - acc.mean(axis=0)
    high = np.sqrt(sum(band_rms(moved[:, place], 10, 45) ** 2 for place in range(3)))
    return {
        "rate_rms_dps": float(swing.std()),
        "rate_peak_dps": float(np.percentile(swing, 99)),
        "rate_low_dps": float(np.percentile(swing, 1)),
        "acc_rms": float(np.sqrt((moved**2).sum(axis=1).mean())),
        "acc_above_10_hz": float(high),
        "acc_p999": float(np.percentile(np.linalg.norm(acc, axis=1), 99.9)),
    }
