"""A worker's session over many hours in a process of its own: `python -m benchmarks._worker_day FOLDER HOURS`.

FOLDER holds `blocks.cborseq`, some minutes of one wearer that are repeated. Prints the process's memory, MB, at the
first commit and at the end of every hour, as JSON.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil

import analytics.worker  # noqa: F401  # all that the worker process loads
from analytics import pipeline
from analytics.store import Store
from analytics.worker._session import Session
from sagittal.blocks import Block
from sagittal.codec import encode_block, read_blocks
from sagittal.settings import Settings, Wearer

COMMIT_BLOCKS = 10


def main(folder: Path, hours: float) -> None:
    blocks = [one for one in read_blocks(folder / "blocks.cborseq") if isinstance(one, Block)]
    first, last = blocks[0], blocks[-1]
    period_ns, seconds = last.t0_ns + last.duration_ns - first.t0_ns, len(blocks)
    settings = Settings(data_dir=folder, wearers=[Wearer(id=first.wearer)])
    process, seen = psutil.Process(), []
    with closing(Store(settings.store_path, "bench")) as store:
        session = Session(store, settings, pipeline, "bench")
        for n in range(round(hours * 3600)):
            turn, place = divmod(n, seconds)
            one = blocks[place]
            one = replace(one, t0_ns=one.t0_ns + turn * period_ns, seq=one.seq + turn * seconds)
            session.take_block(one.wearer, str(one.site), encode_block(one))
            if n % COMMIT_BLOCKS == COMMIT_BLOCKS - 1:
                session.commit({})
            if n % 3600 == 3599 or n == COMMIT_BLOCKS:
                seen.append(process.memory_info().rss / 1e6)
    if session.failures:
        raise SystemExit(f"the pipeline failed {session.failures} times")
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
