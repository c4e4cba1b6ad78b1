"""Wearables that exist only as programs, to be found and read by any program: on a real radio or a virtual link."""

from sensor_bridge.virtual._motion import Motion, Sample
from sensor_bridge.virtual._peripheral import Peripheral
from sensor_bridge.virtual._serve import AIR, serve

__all__ = ["AIR", "Motion", "Peripheral", "Sample", "serve"]
