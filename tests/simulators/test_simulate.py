"""Scenarios, fleets and the commands: the same seed the same bytes, whole through the path, refused in one line."""

from __future__ import annotations

import asyncio
import json
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from sagittal.blocks import Block
from sagittal.cli import build
from sagittal.cli._sources import simulated_feed
from sagittal.codec import read_blocks
from sagittal.errors import SagittalError
from sagittal.names import PostureLabel, Site
from sagittal.truth import read_truth
from sagittal.units import NS_PER_S
from sensor_bridge.source import Outlet, Samples
from simulators import Flaws, Person, Sensor, Wearer, walk
from simulators.fleet import Wish, fleet, member
from simulators.scenarios import DAY_S, SCENARIOS, severity
from simulators.stream import chunks
from tests.e2e.rig import Rig, nats
from tests.e2e.test_commands import refused, sagittal


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_fills_its_period_with_what_it_is_about(name: str) -> None:
    one = SCENARIOS[name]
    acts = one.plan(5)(0)
    assert sum(act.duration_s for act in acts) == pytest.approx(one.period_s, abs=1e-6)
    assert acts == one.plan(5)(0)
    labels = {act.label for act in acts}
    assert {PostureLabel.WALKING, PostureLabel.SITTING, PostureLabel.STANDING} <= labels
    if one.period_s == DAY_S:
        assert one.plan(5)(1) != acts != one.plan(6)(0)
        assert PostureLabel.LYING in labels


def test_rehabilitation_improves_and_flares() -> None:
    better = [severity(day, flaring=False) for day in range(28)]
    assert all(a > b for a, b in pairwise(better))
    assert better[0] > 0.9 > 0.2 > better[27]
    flaring = [severity(day, flaring=True) for day in range(28)]
    assert flaring[17] > flaring[12] + 0.2


def test_no_two_wearers_of_a_fleet_walk_alike() -> None:
    people = [one.wearer.person for one in fleet(Wish(seed=3), 50)]
    cadences = [one.cadence_at(one.speed_mps) for one in people]
    assert len(set(cadences)) == 50
    assert 4 < np.std(cadences) < 16
    assert len({one.begin_s for one in fleet(Wish(seed=3), 50)}) == 50
    assert member(Wish(seed=3), 7).wearer.person == people[7]


def test_what_is_dropped_is_said_and_the_rest_is_the_same() -> None:
    wearer = Wearer(Person(), lambda _: [walk(60)], 3)
    whole = list(islice(chunks(Sensor(wearer, seed=1), 0, 0), 300))
    torn = list(islice(chunks(Sensor(wearer, flaws=Flaws(drop=0.1), seed=1), 0, 0), 270))
    rows = {chunk.t_ns[0]: chunk.acc for chunk in whole}
    assert 10 < sum(chunk.lost for chunk in torn) / 10 < 60
    assert all(rows.get(chunk.t_ns[0], chunk.acc) == chunk.acc for chunk in torn)


def test_off_the_body_at_night_is_a_pause() -> None:
    one = member(Wish(scenario="rehabilitation", rate_hz=10), 0)
    _, off = one.scenario.worn_s
    late = round((off - 5) * NS_PER_S)
    found = list(islice(chunks(one.sensors[Site.LOWER_BACK], 0, late, 10, one.scenario), 10))
    (pause,) = [chunk for chunk in found if chunk.off_ns]
    assert pause.off_ns / NS_PER_S == pytest.approx(DAY_S - off + one.scenario.worn_s[0], abs=1)


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    common = ("simulate", "--scenario", "demo", "--seconds", "40", "--site", "lower_back", "--site", "shank_left")
    for name, seed in (("a", "4"), ("b", "4"), ("c", "5")):
        files = ("--out", str(tmp_path / f"{name}.cborseq"), "--truth", str(tmp_path / f"{name}.jsonl"))
        assert sagittal(*common, "--seed", seed, *files).returncode == 0
    a, b, c = ((tmp_path / f"{name}.cborseq").read_bytes() for name in "abc")
    assert a == b != c
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    blocks = list(read_blocks(tmp_path / "a.cborseq"))
    assert sum(block.n for block in blocks if isinstance(block, Block)) == pytest.approx(2 * 4000, abs=6)
    assert {block.site for block in blocks} == {Site.LOWER_BACK, Site.SHANK_LEFT}  # type: ignore[union-attr]
    messages = list(read_truth(tmp_path / "a.jsonl"))
    assert [len(one.segments["shank_left"].flexion_deg) for one in messages] == [100] * 4
    assert [len(one.segments["pelvis"].quat_wxyz) for one in messages] == [100] * 4
    assert {one.side for part in messages for one in part.contacts} == {"left", "right"}
    done = sagittal(
        "score",
        str(tmp_path / "a.jsonl"),
        "--recording",
        str(tmp_path / "a.cborseq"),
        "--json",
        str(tmp_path / "s.json"),
    )
    assert done.returncode == 0, done.stderr
    (figures,) = json.loads((tmp_path / "s.json").read_text()).values()
    print({name: value for name, value in figures.items() if name != "confused"})
    assert 30 < figures["seconds"] <= 40
    assert figures["contact_recall"] > 0.7
    assert figures["contact_precision"] > 0.9
    assert figures["posture_agreement"] > 0.6
    assert figures["flexion_rms_deg"] < 10, "analytics may still be learning the mounting"


def test_a_fleet_goes_through_the_path_with_its_truth_and_loses_nothing(tmp_path: Path) -> None:
    command, url = nats(tmp_path)
    rig = Rig(tmp_path, command, url)
    rig.start("broker", "worker")
    try:
        done = sagittal(
            *("simulate", "--wearers", "3", "--scenario", "demo", "--seconds", "60", "--speed", "10"),
            *("--broker", url, "--truth", str(tmp_path / "t.jsonl"), "--site", "lower_back", "--site", "upper_trunk"),
        )
        assert done.returncode == 0, done.stderr
        sent = int(done.stdout.split()[0])
        assert sent == pytest.approx(6 * 6000, abs=6 * 12)
        assert rig.stored() == sent
    finally:
        rig.stop()
    told = list(read_truth(tmp_path / "t.jsonl"))
    assert {one.wearer for one in told} == {"sim-0001", "sim-0002", "sim-0003"}
    assert len(told) >= 15


class _Told(Outlet):
    """Counts the samples of a feed and keeps what it says of its charge."""

    def __init__(self) -> None:
        self.n = 0
        self.charges: list[float | None] = []

    def samples(self, samples: Samples) -> None:
        self.n += len(samples.t_ns)

    def state(self, *_: object, battery_percent: float | None = None, **__: object) -> None:
        self.charges.append(battery_percent)


async def test_a_simulated_wearable_loses_charge_and_ends_to_the_sample() -> None:
    one = member(Wish(scenario="demo"), 0)
    one.sensors[Site.LOWER_BACK].battery_h = 100 / 3600
    begin_ns = 1_760_000_000 * NS_PER_S
    end_ns = begin_ns + 40 * NS_PER_S
    told = _Told()
    feed = simulated_feed(one, Site.LOWER_BACK, "d", begin_ns, begin_ns, speed=0, size=7, until_ns=end_ns)
    await feed.run(told, asyncio.Event())
    assert told.n == pytest.approx(4000, abs=3)
    assert told.charges == [float(left) for left in range(100, 59, -1)]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--scenario", "moon"), ("moon", "office")),
        (("--height-m", "3"), ("height 3.0 m",)),
        (("--walking-speed-mps", "9"), ("speed 9.0 m/s",)),
        (("--rate-hz", "5"), ("rate of 5.0 Hz",)),
        (("--behaviour", "limp:2:left"), ("severity 2.0",)),
        (("--behaviour", "limp"), ("limp", "side")),
        (("--wearers", "0"), ("0 wearers",)),
        (("--site", "elbow"), ("elbow",)),
        (("--seed", "-1"), ("seed -1",)),
        (("--start", "yesterday"), ("yesterday",)),
        (("--start", "2999-01-01"), ("2999", "2199")),
        (("--start", "1900-01-01"), ("1900", "1971")),
        (("--seconds", "inf"), ("inf", "--days")),
        (("--behaviour", "guarded_back:1:left"), ("guarded_back", "no side")),
        (("--truth", "{out}"), ("two files",)),
        (("--out", "{folder}"), ("folder",)),
        (("--days", "1"), ("--seconds or --days",)),
    ],
)
def test_the_impossible_is_refused_in_words(tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    out = tmp_path / "x.cborseq"
    given = [one.format(out=out, folder=tmp_path) for one in arguments]
    with pytest.raises(SagittalError) as caught:
        build()(["simulate", "--out", str(out), "--seconds", "5", *given], standalone_mode=False)
    assert all(word in str(caught.value) for word in words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("simulate",), "no broker answers"),
        (("simulate", "--out", "{}/no/x", "--seconds", "5"), "can't be written"),
        (("simulate", "--as", "witmotion", "--wearers", "2"), "one wearable"),
        (("simulate", "--as", "witmotion", "--speed", "2"), "real time"),
        (("simulate", "--days", "2"), "--days needs --out"),
        (("score", "{}/none.jsonl"), "can't be read"),
        (("score", "{}/bad.jsonl"), "line 1"),
        (("score", "{}/empty.jsonl"), "is empty"),
    ],
)
def test_what_is_absent_or_rubbish_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    monkeypatch.setenv("SAGITTAL_BROKER__URL", "mqtt://127.0.0.1:1")
    (tmp_path / "bad.jsonl").write_text('{"t_ns": 3}\n')
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(SagittalError, match=words):
        build()([one.format(tmp_path) for one in arguments], standalone_mode=False)


def test_a_refusal_is_one_line_and_status_2(tmp_path: Path) -> None:
    refused(sagittal("simulate", "--scenario", "moon", "--out", str(tmp_path / "x"), "--seconds", "5"), "moon")
