"""Patterns against behaviours: simulated wearers with one behaviour at rising severity, and what each pattern says.

Every wearer stands for a calibration, walks, bends six times (with a guarded back twelve times); one with declining
walks takes three long ones with rests between. Scores are means over wearers; shares of flags are over all severities
from a half on.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from analytics import SensorRecording, analyze
from analytics.analysis import blocks_of
from analytics.pipeline import assessed, command, finish, initial_state, step
from benchmarks.validate._recordings import WORKERS
from benchmarks.validate._report import Row, Section
from sagittal.blocks import Block
from sagittal.messages import Command
from sagittal.names import Side, Site
from sagittal.results import Pattern
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S
from simulators import Act, Behaviour, draw_person, hold, record, walk

SEVERITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
SEEDS = (1, 2, 3, 4)
SITES = tuple(site for site in Site if site not in (Site.PELVIS, Site.WAIST))
PAIRS = (
    ("stiff_knee", "stiff_knee"),
    ("stiff_knee", "asymmetric_gait"),
    ("limp", "short_step"),
    ("limp", "asymmetric_gait"),
    ("short_step", "short_step"),
    ("trunk_lean", "trunk_lean"),
    ("pelvic_drop", "pelvic_drop_or_hike"),
    ("guarded_back", "guarded_back"),
    ("forward_stoop", "forward_stoop_while_walking"),
    ("lateral_shift", "lateral_shift"),
    ("decline", "decline_within_walk"),
)
"""Behaviours and the patterns that are their own: a stiff knee and a limp make steps unlike as well."""
BEHAVIOURS = tuple(dict.fromkeys(behaviour for behaviour, _ in PAIRS))
PATTERNS = tuple(dict.fromkeys(pattern for _, pattern in PAIRS))
SPEEDS_MPS = (0.5, 0.7, 0.9, 1.1, 1.3, 1.6)
NOTES = [
    "Simulated wearers (`simulators`), six sensors askew and with ordinary flaws, through the live pipeline with a "
    "calibration pose; severities 0 to 1, own scores are means over wearers, flags over severities from ½ on.",
    "A stiff knee and a limp make steps unlike, so they are asymmetric gait as well; short steps are the pattern "
    '`short_step`, which a limp shows too. "Others flagged" names patterns flagged more often than in normal walking.',
]
_BASE_NS = 86_400 * NS_PER_S
_SIDED = frozenset({"limp", "stiff_knee", "trunk_lean", "pelvic_drop", "lateral_shift"})


@dataclass(frozen=True)
class Case:
    """One wearer: behaviour, severity, seed; every other wearer's side is the right."""

    behaviour: str
    severity: float
    seed: int

    @property
    def side(self) -> Side | None:
        """The side of the behaviour, where it has one."""
        if self.behaviour not in _SIDED:
            return None
        return Side.RIGHT if self.seed % 2 else Side.LEFT


@dataclass(frozen=True)
class Seen:
    """What was said of a wearer: patterns by name, and the score."""

    case: Case
    patterns: dict[str, Pattern]
    score: float | None


@cache
def seen() -> tuple[Seen, ...]:
    """Every behaviour at every severity; without severity all but the long walks are the same wearer."""
    cases = [Case(*one) for one in product(BEHAVIOURS, SEVERITIES, SEEDS)]
    once = [one for one in cases if one.severity or one.behaviour in ("decline", BEHAVIOURS[0])]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        found = {one.case: one for one in pool.map(look, once)}
    usual_ones = {case.seed: found[Case(BEHAVIOURS[0], 0.0, case.seed)] for case in cases}
    return tuple(found.get(case) or replace(usual_ones[case.seed], case=case) for case in cases)


def look(case: Case) -> Seen:
    """A simulated wearer through the live pipeline, calibrated while standing."""
    sites = SITES[:1] if case.behaviour == "decline" else SITES
    found = record(_acts(case), seed=case.seed, sites=sites)
    state = initial_state(Wearer(id="simulated", height_m=found.wearer.person.height_m))
    state, _ = command(state, Command(id="standing-pose", t_ns=_BASE_NS, wearer="simulated", verb="calibrate"))
    for block in _blocks(found.sites):
        state, _ = step(state, block)
    state, _ = finish(state)
    judged = assessed(state)
    return Seen(case, {one.pattern: one for one in judged.patterns}, judged.score)


def _acts(case: Case) -> Sequence[Act]:
    """Upright without the behaviour, for the calibration; then everything with it."""
    if case.behaviour == "decline":
        acts = [*[walk(240), hold("sit", 100)] * 2, walk(70), hold("stand", 6)]
    else:
        bends = 12 if case.behaviour == "guarded_back" else 6
        acts = [walk(45), hold("stand", 8), *[hold("bend", 7), hold("stand", 7)] * bends]
    does = (Behaviour(case.behaviour, case.severity, case.side),)
    return [hold("stand", 12), *(replace(act, behaviours=does) for act in acts)]


def _blocks(sites: object) -> Iterator[Block]:
    assert isinstance(sites, dict)
    streams = [
        blocks_of(SensorRecording(one.time_s, one.acc, one.gyr), site, origin_s=0.0, base_ns=_BASE_NS)
        for site, one in sites.items()
    ]
    return heapq.merge(*streams, key=lambda block: (block.end_ns, block.site is Site.LOWER_BACK))


def section(_: Path) -> Section:
    """The matrix, and the same bodies at many speeds."""
    rows = [
        Row(
            "flagged: the same simulated bodies at 0.5 to 1.6 m/s",
            _people(SPEEDS_MPS),
            _flagged_at_speeds(),
            "–",
            0,
            "less",
        ),
        Row("patterns whose own score rises with every step of severity", str(len(PAIRS)), _share_rising(), "–", 1.0),
    ]
    return Section("Patterns against behaviours (simulated wearers)", rows, NOTES, [table()])


def _people(what: Sequence[object]) -> str:
    return f"{len(SEEDS)}, {len(SEEDS) * len(what)}"


def _share_rising() -> float:
    return float(np.mean([rises(own_scores(*pair)) for pair in PAIRS]))


def _flagged_at_speeds() -> float:
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        return float(np.mean(list(pool.map(_at_speed, *zip(*product(SEEDS, SPEEDS_MPS), strict=True)))))


def _at_speed(seed: int, speed_mps: float) -> bool:
    """Whether a usual body is flagged at a speed."""
    person = draw_person(np.random.default_rng([seed, 51]))
    found = record(
        [hold("stand", 6), walk(40, speed_mps / person.speed_mps), hold("stand", 6)], seed=seed, person=person
    )
    one = found.sites[Site.LOWER_BACK]
    return analyze({"lower_back": SensorRecording(one.time_s, one.acc, one.gyr)}).compensation_flagged


def own_scores(behaviour: str, pattern: str) -> list[float | None]:
    """Mean score of a pattern at every severity of a behaviour."""
    return [_mean(one.patterns[pattern].score for one in _at(behaviour, severity)) for severity in SEVERITIES]


def rises(scores: Sequence[float | None]) -> bool:
    """Whether scores rise with every step of severity."""
    known = [one for one in scores if one is not None]
    return len(known) == len(scores) and bool((np.diff(known) > 0).all())


def flagged(behaviour: str, pattern: str, *, least: float = 0.5, most: float = 1.0) -> float:
    """Share of wearers flagged for a pattern between two severities."""
    found = [one for s in SEVERITIES if least <= s <= most for one in _at(behaviour, s)]
    return float(np.mean([one.patterns[pattern].flagged for one in found]))


def sides_right(behaviour: str, pattern: str, least: float = 0.5) -> float | None:
    """Share of named sides that are right."""
    found = [one for s in SEVERITIES if s >= least for one in _at(behaviour, s)]
    named = [(one.patterns[pattern].side, one.case.side) for one in found]
    told = [side == true for side, true in named if side is not None]
    return float(np.mean(told)) if told else None


def table() -> str:
    """The matrix in Markdown: own scores by severity, whether they rise, flags of the own and of other patterns."""
    head = " | ".join(f"{one:g}" for one in SEVERITIES)
    lines = [
        f"| behaviour | own pattern | score at {head} | rises | flagged at 0; 1 | side right | others flagged |",
        "|---" * (len(SEVERITIES) + 6) + "|",
    ]
    for behaviour, own in PAIRS:
        scores = own_scores(behaviour, own)
        told = " | ".join("–" if one is None else f"{one:.2f}" for one in scores)
        side = "–" if (share := sides_right(behaviour, own)) is None else f"{share:.0%}"
        ends = "; ".join(f"{flagged(behaviour, own, least=s, most=s):.0%}" for s in (0.0, 1.0))
        rising = "yes" if rises(scores) else "**no**"
        lines.append(f"| `{behaviour}` | `{own}` | {told} | {rising} | {ends} | {side} | {_others(behaviour)} |")
    return "\n".join(lines)


def _others(behaviour: str) -> str:
    own = {pattern for one, pattern in PAIRS if one == behaviour}
    shares = {name: flagged(behaviour, name) for name in PATTERNS if name not in own}
    more = [f"{name} {s:.0%}" for name, s in shares.items() if s > flagged(behaviour, name, least=0.0, most=0.0)]
    return ", ".join(more) or "none"


def _at(behaviour: str, severity: float) -> list[Seen]:
    return [one for one in seen() if (one.case.behaviour, one.case.severity) == (behaviour, severity)]


def _mean(values: Iterator[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return float(np.mean(known)) if known else None
