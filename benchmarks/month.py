"""A month of rehabilitation, simulated and analysed end to end: what is true against what the days say.

`python -m benchmarks.month [--days 28] [--scenario rehabilitation_flaring]`. The wearer's samples go block by block
through the live pipeline; nothing is written.
"""

from __future__ import annotations

import argparse
import time

from analytics.pipeline import finish, initial_state, step
from sagittal.cli._simulate import blocks
from sagittal.names import Site
from sagittal.results import Day
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S
from simulators.fleet import Wish, member

START_NS = 1_767_596_400 * NS_PER_S  # 2026-01-05, seven in the morning


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--scenario", default="rehabilitation")
    parser.add_argument("--hours", type=float, default=6.5, help="of each day, from half past eight")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    one = member(Wish(scenario=asked.scenario, seed=asked.seed), 0)
    person = one.wearer.person
    state = initial_state(Wearer(id=one.name, height_m=person.height_m))
    days: dict[str, Day] = {}
    begun, made_s = time.process_time(), 0.0
    for from_s, off_s in one.worn(asked.days):
        to_s = min(off_s, from_s + asked.hours * 3600)
        for block in blocks(one, Site.LOWER_BACK, START_NS, from_s, to_s):
            state, found = step(state, block)
            days |= {result.date: result for result in found if isinstance(result, Day)}
        made_s += to_s - from_s
    state, found = finish(state)
    days |= {result.date: result for result in found if isinstance(result, Day)}
    print(f"{asked.scenario}: {made_s / 3600:.0f} h in {time.process_time() - begun:.0f} s of processor time")
    print("day  true severity  score  patterns found                          walks  steps  bends  cadence")
    for number, date in enumerate(sorted(days)):
        day = days[date]
        acts = one.wearer.plan(number)
        true = max((b.severity for b in acts[0].behaviours), default=0.0)
        found_patterns = ", ".join(
            f"{p.pattern}{f' {p.side}' if p.side else ''} {p.score:.2f}"
            for p in day.compensations
            if p.flagged and p.score is not None
        )
        score = "–" if day.compensation_score is None else f"{day.compensation_score:.2f}"
        cadence = day.metrics.get("cadence_spm")
        print(
            f"{number + 1:3d}  {true:13.2f}  {score:>5}  {found_patterns or '–':38s}  {day.exposure.walks:5d}"
            f"  {day.exposure.steps:5d}  {day.exposure.bends:5d}  {'–' if cadence is None else f'{cadence:.1f}'}",
            flush=True,
        )


if __name__ == "__main__":
    main()
