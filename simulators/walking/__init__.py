"""Walking: the pelvis moved by the sum of both feet's ground reaction, the legs by normative curves."""

from simulators.walking._gait import Gait
from simulators.walking._make import Turning, make_gait, rough_noise
from simulators.walking._steps import Steps

__all__ = ["Gait", "Steps", "Turning", "make_gait", "rough_noise"]
