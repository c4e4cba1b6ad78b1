"""Recordings of others, by the folder: BIDS-motion or CSV, through the worker's own session into the store."""

from analytics.imports._folder import find_recordings
from analytics.imports._run import Importing, Progress
from analytics.imports._table import Found

__all__ = ["Found", "Importing", "Progress", "find_recordings"]
