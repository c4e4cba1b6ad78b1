"""The soak in short: every kind of fault but the long outage, once, and an account that balances to the sample."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("bumble")

from benchmarks.soak import run


@pytest.mark.slow
def test_every_sample_is_stored_once_or_stands_behind_a_mark_that_counts_right(tmp_path: Path) -> None:
    ledger = run(minutes=0.42, fault_s=5.0, outage_s=0.0, folder=tmp_path, seed=3)
    assert ledger["taken_is_stored_and_dropped"], ledger
    assert ledger["bridge"]["blocks_waiting"] == 0
    assert len(ledger["faults"]) >= 3
    for name, stream in ledger["streams"].items():
        assert stream["balances"], (name, stream)
        assert stream["stored"] > 500, (name, stream)
