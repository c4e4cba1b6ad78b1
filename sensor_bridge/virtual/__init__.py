"""Wearables that exist only as programs, to be found and read by any program: on a real radio or a virtual link.

Importing it raises `WearableRefused` where Bumble is not installed.
"""

from importlib.util import find_spec

from sensor_bridge.wearable import WearableRefused

if find_spec("bumble") is None:
    raise WearableRefused("a virtual wearable needs Bumble, which is not installed: pip install 'sagittal[virtual]'")

from sensor_bridge.virtual._motion import Motion, Sample
from sensor_bridge.virtual._peripheral import Peripheral
from sensor_bridge.virtual._serve import AIR, serve

__all__ = ["AIR", "Motion", "Peripheral", "Sample", "serve"]
