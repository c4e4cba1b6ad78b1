"""Wearables that people own and the bridge does not read, and why: what a scan can say of them."""

from __future__ import annotations

from sensor_bridge.wearable import Advertisement, Recognised

_NO_RAW = "it sends no raw motion: use one of the supported wearables"
_OWN_FIRMWARE = "it has no standard firmware for motion: load the sketch in docs/firmware, it is then supported"
_UNREAD = (
    (("Shimmer",), "Shimmer", "it needs its own calibration, which is not read yet"),
    (("Bangle.js", "Puck.js", "Pixl.js"), "Espruino", "it is programmed in JavaScript and has no profile for motion"),
    (("M5Stack", "M5Stick", "M5-"), "M5Stack", _OWN_FIRMWARE),
    (("XIAO", "Arduino", "Nano33", "Feather"), "a board", _OWN_FIRMWARE),
    (("Polar H9", "Polar H7"), "Polar", _NO_RAW),
    (("Mi Smart Band", "Mi Band", "Xiaomi Smart Band", "Amazfit", "Fitbit", "Charge ", "Versa "), "a watch", _NO_RAW),
    (("Garmin", "fenix", "Forerunner", "HRM-"), "Garmin", _NO_RAW),
    (("WHOOP", "Oura"), "a tracker", _NO_RAW),
)


def why_not(advertisement: Advertisement) -> Recognised | None:
    """What a known but unsupported wearable is, with the reason as its remark; None for anything else."""
    name = advertisement.local_name or ""
    for beginnings, title, reason in _UNREAD:
        if name.startswith(beginnings):
            return Recognised(0, title, reason)
    return None
