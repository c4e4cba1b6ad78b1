"""The way into the spool: what a disk does not take waits, and beyond a minute is lost by number."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from sagittal.blocks import Block, ClockKind, Cursor, GapReason
from sagittal.errors import StoreError
from sagittal.messages import DeviceHealth, DeviceState, SilenceReason
from sagittal.names import Site
from sensor_bridge import bridge as module
from sensor_bridge._builder import BLOCK_NS
from sensor_bridge._spool import Spool
from sensor_bridge.source import Samples

N, BLOCKS = 50, 20


def samples(index: int) -> Samples:
    t0_ns = 10**18 + index * N * 10**7
    return Samples(t_ns=[t0_ns + i * 10**7 for i in range(N)], acc=bytes(6 * N), acc_scale=0.01, clock=ClockKind.TRUE)


def rigged(spool: Spool, told: list[DeviceHealth]) -> module._Outlet:
    publisher = SimpleNamespace(
        watch=lambda *_: None, kick=lambda *_: None, health=lambda _wearer, health: told.append(health)
    )
    rig = SimpleNamespace(spool=spool, publisher=publisher, name="b", block_ns=BLOCK_NS, health_s=0.0)
    return module._Outlet(SimpleNamespace(wearer="w", site=Site.WAIST, device="d", driver="fake"), rig)  # type: ignore[arg-type]


def test_a_silence_begins_with_all_that_came_on_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s")
    outlet = rigged(spool, [])
    outlet.samples(samples(0))
    assert spool.ledger("w", Site.WAIST).samples == 0
    outlet.state(DeviceState.STREAMING, battery_percent=50)
    assert spool.ledger("w", Site.WAIST).samples == 0
    outlet.state(DeviceState.STALLED, SilenceReason.NO_DATA)
    assert spool.ledger("w", Site.WAIST).samples == N
    spool.close()


@pytest.mark.parametrize(("most", "lost"), [(120, 0), (4, 6)])
def test_what_the_disk_does_not_take_waits(
    most: int, lost: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_UNSPOOLED", most)
    told: list[DeviceHealth] = []
    spool = Spool(tmp_path / "s")
    outlet = rigged(spool, told)
    append = spool.append
    taken: list[Block] = []
    full = False

    def take(block: Block) -> None:
        if full:
            raise StoreError("spool can't be written (disk full): free space")
        append(block)
        taken.append(block)

    monkeypatch.setattr(spool, "append", take)
    for index in range(BLOCKS):
        full = 4 <= index < 14
        outlet.samples(samples(index))
    outlet.close(SilenceReason.STOPPED)
    assert [one.seq for one in taken] == [*range(3), *range(3 + lost, BLOCKS)]
    silent = [health for health in told if health.state is DeviceState.STALLED]
    assert {(one.reason, one.detail[:5]) for one in silent} == {(SilenceReason.NO_SPACE, "spool")}
    assert told[-2].state is DeviceState.STREAMING
    assert told[-1].samples_lost == lost * N
    if lost:
        gap = taken[3].gap_before
        assert gap is not None
        assert (gap.reason, gap.samples) == (GapReason.OVERRUN, lost * N)
        assert gap.since == Cursor(taken[0].boot_id, 3)
    spool.close()
