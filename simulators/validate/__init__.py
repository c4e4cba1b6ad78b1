"""Simulated walking held against real recordings: `python -m simulators.validate`, or `make validate-simulator`."""
