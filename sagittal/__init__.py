"""The shared language of Sagittal: blocks of samples, results, topics, codec, units and settings."""

from sagittal.blocks import Block, ClockKind, Cursor, Gap, GapReason, new_boot_id
from sagittal.codec import decode_block, encode_block, read_blocks
from sagittal.errors import SagittalError
from sagittal.names import PostureLabel, Side, Site

__version__ = "0.1.0"

__all__ = [
    "Block",
    "ClockKind",
    "Cursor",
    "Gap",
    "GapReason",
    "PostureLabel",
    "SagittalError",
    "Side",
    "Site",
    "__version__",
    "decode_block",
    "encode_block",
    "new_boot_id",
    "read_blocks",
]
