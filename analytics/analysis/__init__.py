"""Whole recordings through the same pipeline as live samples."""

from analytics.analysis._analyze import Analysis, analyze
from analytics.analysis._files import read_recording
from analytics.analysis._recording import SensorRecording, blocks_of

__all__ = ["Analysis", "SensorRecording", "analyze", "blocks_of", "read_recording"]
