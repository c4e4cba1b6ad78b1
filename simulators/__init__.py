"""A moving body with labelled posture and gait, the sensors on it, virtual wearables and fleets."""

from simulators.acts import POSES, Act, Turned, hold, there_and_back, walk
from simulators.behaviours import BEHAVIOURS, Behaviour
from simulators.body import Person, draw_person
from simulators.recording import Recording, record
from simulators.sensors import PERFECT, Flaws, Mounting, Sensor
from simulators.wearer import Contact, Span, Truth, Wearer

__all__ = [
    "BEHAVIOURS",
    "PERFECT",
    "POSES",
    "Act",
    "Behaviour",
    "Contact",
    "Flaws",
    "Mounting",
    "Person",
    "Recording",
    "Sensor",
    "Span",
    "Truth",
    "Turned",
    "Wearer",
    "draw_person",
    "hold",
    "record",
    "there_and_back",
    "walk",
]
