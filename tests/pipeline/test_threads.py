"""One wearer's numbers are worked out on one thread, wherever the pipeline is called from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_CALLED = """
from threadpoolctl import ThreadpoolController

from analytics.analysis import SensorRecording, blocks_of
from analytics.pipeline import _pipeline
from sagittal.names import Site
from sagittal.settings import Wearer
from simulators import record, walk

def threads():
    pools = ThreadpoolController().select(user_api="blas").info()
    return max((one["num_threads"] for one in pools), default=1)

def follow(*given):
    seen.append(threads())
    return known(*given)

seen, known = [], _pipeline._orientation.follow
_pipeline._orientation.follow = follow
made = record([walk(4)], seed=1).sites[Site.LOWER_BACK]
blocks = blocks_of(SensorRecording(made.time_s, made.acc, made.gyr), Site.LOWER_BACK)
before = threads()
_pipeline.steps(_pipeline.initial_state(Wearer(id="w1")), blocks)
print(max(seen), threads() - before)
"""


def test_a_caller_with_many_threads_pays_for_one_and_keeps_the_others() -> None:
    many = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", _CALLED],
        env={**many, "OPENBLAS_NUM_THREADS": "2", "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "0"]
