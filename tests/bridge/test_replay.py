"""After an outage: what waited goes out in order and with its own times, slowly, and the live blocks overtake it."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as paho

from sagittal.blocks import Block, Gap, GapReason
from sagittal.codec import decode_block
from sagittal.messages import Watermark
from sagittal.mqtt import connect, make_client
from sagittal.names import Site
from sagittal.settings import Settings
from sagittal.topics import site_topic
from sensor_bridge._publisher import Publisher
from sensor_bridge._spool import Spool
from sensor_bridge.feeds import recorded
from tests.bridge.test_spool import block, mark

WAITING, LIVE = 120, 5
RUBBISH = (
    b"",
    b"[]",
    b"{",
    b'{"boot_id": "zz", "seq": 1, "worker": "x"}',
    b'{"boot_id": "6262626262626262", "seq": 1e30, "worker": "x"}',
    b'{"boot_id": "6262626262626262", "seq": 1000000000000000000000, "worker": "x"}',
    b'{"boot_id": "6262626262626262", "seq": -1, "worker": "x"}',
    b'{"boot_id": "6262626262626262", "seq": 8, "worker": "x", "run_boot_id": "b", "run_seq": 99999999999999999999}',
)


def wait(true: object, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)


def test_live_blocks_overtake_a_backlog_that_goes_out_in_order(mosquitto: str, tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"data_dir": tmp_path, "broker": {"url": mosquitto}, "spool": {"replay_blocks_per_s": 30}}
    )
    spool = Spool(settings.spool_path)
    for seq in range(WAITING):
        spool.append(block(seq))
    heard: list[Block] = []

    def take(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        heard.append(decode_block(bytes(message.payload)))

    client = make_client("", settings)
    client.on_message = take
    connect(client, settings)
    client.subscribe(site_topic("w", Site.WAIST, "imu"), qos=1)
    client.loop_start()
    publisher = Publisher(settings, spool, "bridge")
    publisher.start()
    wait(lambda: len(heard) > 0)
    for seq in range(WAITING, WAITING + LIVE):
        spool.append(block(seq))
        publisher.kick("w", Site.WAIST)
    wait(lambda: len({one.seq for one in heard}) == WAITING + LIVE)
    order = [one.seq for one in heard]
    backlog = [seq for seq in order if seq < WAITING]
    assert backlog == sorted(backlog)
    assert order.index(WAITING) < order.index(WAITING - 1)
    assert all(one.t0_ns == block(one.seq).t0_ns for one in heard)
    assert heard[0].head
    client.publish(site_topic("w", Site.WAIST, "stored"), mark(WAITING + LIVE - 1).to_json(), qos=1, retain=True)
    wait(publisher.drained)
    publisher.stop()
    client.disconnect()
    client.loop_stop()
    spool.close()


def test_a_mark_that_waits_on_the_broker_spares_what_it_covers(mosquitto: str, tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path, "broker": {"url": mosquitto}})
    spool = Spool(settings.spool_path)
    for seq in range(10):
        spool.append(block(seq))
    heard: list[int] = []

    def take(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        heard.append(decode_block(bytes(message.payload)).seq)

    client = make_client("", settings)
    client.on_message = take
    connect(client, settings)
    client.subscribe(site_topic("w", Site.WAIST, "imu"), qos=1)
    client.loop_start()
    covered = Watermark(boot_id=mark(0).boot_id, seq=6, worker="one").to_json()
    client.publish(site_topic("w", Site.WAIST, "stored"), covered, qos=1, retain=True).wait_for_publish(5)
    publisher = Publisher(settings, spool, "bridge")
    publisher.start()
    wait(lambda: len(set(heard)) == 3)
    assert set(heard) == {7, 8, 9}
    for rubbish in RUBBISH:
        client.publish(site_topic("w", Site.WAIST, "stored"), rubbish, qos=1)
    client.publish(site_topic("w", Site.WAIST, "stored"), mark(9).to_json(), qos=1)
    wait(publisher.drained)
    publisher.stop()
    client.disconnect()
    client.loop_stop()
    spool.close()


def test_a_recording_played_again_names_no_place_in_its_old_numbering() -> None:
    gap = Gap(GapReason.OVERRUN, 100, 10**9, block(1).cursor)
    played = list(recorded([block(0), replace(block(3), gap_before=gap), block(9)]))
    told = [one.gap_before for one in played]
    assert told[:2] == [None, replace(gap, since=None)]
    assert told[2] is not None
    assert told[2].reason is GapReason.RECORDING
