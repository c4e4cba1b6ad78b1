"""Blocks in, results out: pure, streaming, the same for every cutting into blocks."""

from analytics.pipeline._day import assessed
from analytics.pipeline._orientation import RESCALED_BEYOND
from analytics.pipeline._pipeline import command, finish, initial_state, step, steps
from analytics.pipeline._state import VERSION, State, dump_state, load_state

__all__ = [
    "RESCALED_BEYOND",
    "VERSION",
    "State",
    "assessed",
    "command",
    "dump_state",
    "finish",
    "initial_state",
    "load_state",
    "step",
    "steps",
]
