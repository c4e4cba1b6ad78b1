"""Whole recordings through the same pipeline as live samples."""

from analytics.analysis._analyze import Analysis, analyze, gait_evidence
from analytics.analysis._files import read_recording
from analytics.analysis._recording import SensorRecording, blocks_of

__all__ = ["Analysis", "SensorRecording", "analyze", "blocks_of", "gait_evidence", "read_recording"]
