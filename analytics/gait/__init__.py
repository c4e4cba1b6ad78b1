"""Gait from one lower-back sensor: walking bouts, initial contacts with sides, cadence, length, speed, turns."""

from analytics.gait._prepare import Prepared, gait_prepare
from analytics.gait._results import Bout, Contacts, GaitResult, MountingKnown, Turn
from analytics.gait._state import GaitState, from_dict, new_state, to_dict
from analytics.gait._stream import gait_finish, gait_go_on, gait_step

__all__ = [
    "Bout",
    "Contacts",
    "GaitResult",
    "GaitState",
    "MountingKnown",
    "Prepared",
    "Turn",
    "from_dict",
    "gait_finish",
    "gait_go_on",
    "gait_prepare",
    "gait_step",
    "new_state",
    "to_dict",
]
