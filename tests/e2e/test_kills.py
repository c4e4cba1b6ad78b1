"""kill -9 of worker, bridge and broker in any order: no sample lost, no result doubled."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from sagittal.blocks import Block
from tests.e2e.rig import Rig, mosquitto, nats, unfaulted, wait_until


@pytest.fixture(params=["nats", "mosquitto"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "nats":
        command, url = nats(tmp_path)
    else:
        command, url = mosquitto(tmp_path, request.getfixturevalue("mosquitto_binary"))
    made = Rig(tmp_path, command, url)
    yield made
    made.stop()


def check(rig: Rig, tmp_path: Path, sent: int, dropped: int, waiting: int) -> None:
    assert (dropped, waiting) == (0, 0)
    assert rig.stored() == sent > 0
    blocks = rig.recorded()
    assert sum(block.n for block in blocks) == sent
    assert contiguous(blocks)
    assert rig.contents() == unfaulted(blocks, tmp_path / "calm")


def contiguous(blocks: list[Block]) -> bool:
    return all(b.follows == a.cursor if b.boot_id != a.boot_id else b.seq == a.seq + 1 for a, b in pairwise(blocks))


def test_kills_in_any_order_lose_nothing_and_double_nothing(rig: Rig, tmp_path: Path) -> None:
    chance = random.Random(7)
    rig.start("broker", "worker", "bridge")
    wait_until(lambda: rig.stored() > 0)
    victims = ["worker", "broker", "bridge", "worker", "broker"]
    chance.shuffle(victims)
    for victim in victims:
        time.sleep(chance.uniform(0.3, 1.5))
        rig.kill(victim)
        time.sleep(chance.uniform(0.0, 0.8))
        rig.start(victim)
    before = rig.stored()
    wait_until(lambda: rig.stored() > before)
    check(rig, tmp_path, *rig.finish())


@pytest.mark.parametrize("rig", ["nats"], indirect=True)
def test_a_worker_started_long_after_the_bridge_gets_everything(rig: Rig, tmp_path: Path) -> None:
    rig.start("broker", "bridge")
    time.sleep(4)
    assert rig.stored() == 0
    rig.start("worker")
    wait_until(lambda: rig.stored() > 0)
    check(rig, tmp_path, *rig.finish())


@pytest.mark.parametrize("rig", ["nats"], indirect=True)
def test_a_broker_that_comes_last_is_waited_for(rig: Rig, tmp_path: Path) -> None:
    rig.start("bridge", "worker")
    time.sleep(2)
    rig.start("broker")
    wait_until(lambda: rig.stored() > 0)
    check(rig, tmp_path, *rig.finish())
