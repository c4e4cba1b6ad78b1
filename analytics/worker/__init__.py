"""The worker: blocks from the broker through the pipeline into the store, and what came of it back to the broker."""

from analytics.worker._engine import Pipeline
from analytics.worker._order import StreamOrder
from analytics.worker.worker import Worker

__all__ = ["Pipeline", "StreamOrder", "Worker"]
