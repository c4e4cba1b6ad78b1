"""*Service*: how far behind the worker is, what waits, and what was refused."""

from __future__ import annotations

from typing import Any

from dashboards.grafana import _kit as kit
from sagittal.thresholds import threshold

_BEHIND, _WAITING = threshold("watch.behind_s"), threshold("watch.outbox_waiting")


def now(what: str) -> kit.InfluxQL:
    """The latest of the worker's figures."""
    return kit.query(kit.DETAIL, f'SELECT {what} FROM "service" WHERE $timeFilter')


def over_time(what: str, alias: str) -> kit.InfluxQL:
    """A figure of every worker, over time."""
    where = 'FROM "service" WHERE $timeFilter GROUP BY time($__interval), "source" fill(null)'
    return kit.query(kit.DETAIL, f"SELECT {what} {where}", alias)


def build() -> Any:
    """The dashboard."""
    bad = kit.steps((None, kit.BLUE), (1, kit.ORANGE))
    return (
        kit.dashboard("service", "Service", "The worker and what it feeds.", time="now-6h", wearer=False)
        .with_panel(
            kit.note(
                1,
                "What the worker says of itself. While InfluxDB is away there is a gap; results are kept and come.",
            )
        )
        .with_panel(
            kit.number(
                2,
                "Behind",
                "Time since the newest stored sample of the wearable furthest behind of those that stream.",
                "s",
                now('last("behind_s")'),
                colours=kit.steps((None, kit.BLUE), (_BEHIND, kit.ORANGE)),
                decimals=1,
            )
        )
        .with_panel(
            kit.number(3, "Streaming", "Wearables that stream.", "none", now('last("devices_streaming")'), decimals=0)
        )
        .with_panel(
            kit.number(
                4,
                "Outbox",
                "Results that some reader has yet to take.",
                "none",
                now('last("outbox_waiting")'),
                colours=kit.steps((None, kit.BLUE), (_WAITING, kit.ORANGE)),
                decimals=0,
            )
        )
        .with_panel(
            kit.number(
                5,
                "Lines refused",
                "By InfluxDB, since the worker started; they lie in the quarantine.",
                "none",
                now('last("sink_refused")'),
                colours=bad,
                decimals=0,
            )
        )
        .with_panel(
            kit.number(
                6,
                "Messages refused",
                "Malformed, since the worker started.",
                "none",
                now('last("malformed")'),
                colours=bad,
                decimals=0,
            )
        )
        .with_panel(
            kit.number(
                7,
                "Pipeline failures",
                "Since the worker started.",
                "none",
                now('last("pipeline_failures")'),
                colours=bad,
                decimals=0,
            )
        )
        .with_panel(
            kit.lines(
                8,
                "Lag",
                "Time since the newest stored sample of the wearable furthest behind.",
                "s",
                over_time('max("behind_s")', "$tag_source"),
                low=0,
                every="1m",
                limits=kit.steps((None, "transparent"), (_BEHIND, kit.ORANGE)),
            )
        )
        .with_panel(
            kit.lines(
                9,
                "Blocks taken",
                "Blocks of samples a second.",
                "none",
                over_time('non_negative_derivative(last("blocks"), 1s)', "$tag_source"),
                low=0,
                every="1m",
            )
        )
        .with_panel(
            kit.lines(
                10,
                "Waiting",
                "Blocks in the bridges' spools, and results in the outbox.",
                "none",
                over_time('max("spooled_blocks")', "$tag_source spools"),
                over_time('max("outbox_waiting")', "$tag_source outbox"),
                low=0,
                every="1m",
            )
        )
        .with_panel(
            kit.lines(
                11,
                "Refused, repeated, dropped",
                "Counted since the worker started.",
                "none",
                over_time('max("malformed")', "$tag_source malformed"),
                over_time('max("sink_refused")', "$tag_source lines refused"),
                over_time('max("repeats")', "$tag_source repeats"),
                over_time('max("overflowed")', "$tag_source overflowed"),
                over_time('max("pipeline_failures")', "$tag_source failures"),
                low=0,
                every="1m",
            )
        )
        .with_panel(
            kit.states(
                12,
                "InfluxDB",
                "How the worker gets on with it.",
                kit.words(
                    {
                        "fed": ("fed", kit.GREEN),
                        "waiting": ("starting", kit.SKY),
                        "unavailable": ("away, tried again", kit.ORANGE),
                        "refused": ("refuses: a person must act", kit.RED),
                        "failed": ("failed", kit.RED),
                    }
                ),
                over_time('last("sink.influx")', "$tag_source"),
                height=4,
                every="1m",
            )
        )
    )
