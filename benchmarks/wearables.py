"""How many samples a second one core decodes, wearable by wearable: `python -m benchmarks.wearables`.

Each rate is shown beside the limit in the same run: 400 samples a second, the highest rate that settings allow, so the
ratio is how many wearables at that rate one core could decode if it did nothing else.
"""

from __future__ import annotations

import sys
import time

from sensor_bridge.wearable import Notification, Packet
from sensor_bridge.wearables import WEARABLES
from tests.wearables.link import AT_REST, Link, connect

LIMIT_HZ = 400.0
SAMPLES = 4000
ROUNDS = 3


def main() -> None:
    sys.stdout.write(f"{'wearable':<24}{'samples/s':>12}{'× 400 Hz':>10}\n")
    for kind in WEARABLES:
        for variant in kind.variants:
            link = connect(kind, variant)
            sent = [one for _ in range(SAMPLES) for one in _measured(link)]
            best = 0.0
            for _ in range(ROUNDS):
                session = connect(kind, variant).session
                begun, samples = time.perf_counter(), 0
                for one in sent:
                    samples += sum(event.n for event in session.feed(one.char, one.data) if isinstance(event, Packet))
                best = max(best, samples / (time.perf_counter() - begun))
            sys.stdout.write(f"{kind.driver + ':' + variant:<24}{best:>12.0f}{best / LIMIT_HZ:>10.0f}\n")


def _measured(link: Link) -> list[Notification]:
    acc, gyr = AT_REST
    sent = link.virtual.sample(link.t_ns, acc, gyr)
    link.t_ns += round(1e9 / link.virtual.rate_hz)
    return sent


if __name__ == "__main__":
    main()
