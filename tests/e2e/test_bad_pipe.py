"""The broker is a pipe that may lose, repeat and reorder: the store holds every sample once all the same."""

from __future__ import annotations

from pathlib import Path

from sagittal import broker
from sagittal.settings import Broker, Settings
from tests.e2e.pipe import BadPipe
from tests.e2e.rig import Rig, unfaulted, wait_until


def test_a_pipe_that_loses_repeats_and_reorders_harms_nothing(tmp_path: Path) -> None:
    near_port, far_port = broker.free_port(), broker.free_port()
    near, far = (
        Settings(data_dir=tmp_path / name, broker=Broker(port=port))
        for name, port in (("near", near_port), ("far", far_port))
    )
    rig = Rig(tmp_path, broker.command(near), near.broker_url)
    rig.commands["far"] = broker.command(far)
    rig.start("broker", "far", "bridge")
    pipe = BadPipe(near.broker_url, far.broker_url, seed=3)
    try:
        rig.environment["SAGITTAL_BROKER__URL"] = far.broker_url
        rig.start("worker")
        wait_until(lambda: rig.stored() > 1000)
        rig.kill("worker")
        rig.start("worker")
        wait_until(lambda: rig.stored() > 2000)
        sent, dropped, waiting = rig.finish()
    finally:
        pipe.stop()
        rig.stop()
    assert min(pipe.lost, pipe.repeated, pipe.rubbish) > 0
    assert (dropped, waiting) == (0, 0)
    assert rig.stored() == sent
    blocks = rig.recorded()
    assert sum(block.n for block in blocks) == sent
    assert [block.gap_before is None for block in blocks[1:]] == [True] * (len(blocks) - 1)
    assert rig.contents() == unfaulted(blocks, tmp_path / "calm")
