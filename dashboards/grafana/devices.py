"""*Devices*: battery, signal, loss and latency of every wearable."""

from __future__ import annotations

from typing import Any

from dashboards._words import word
from dashboards.grafana import _kit as kit
from sagittal.messages import DeviceState
from sagittal.thresholds import threshold

_BATTERY, _SILENT = threshold("watch.battery_low_percent"), threshold("watch.silent_s")
_COLOURS = {
    DeviceState.STREAMING: kit.GREEN,
    DeviceState.SCANNING: kit.SKY,
    DeviceState.CONNECTING: kit.SKY,
    DeviceState.SETTING_UP: kit.SKY,
    DeviceState.WAITING: kit.ORANGE,
    DeviceState.STALLED: kit.RED,
    DeviceState.OFFLINE: kit.GREY,
}
_BY = '"wearer", "site"'
_NAME = "$tag_wearer $tag_site"


def over_time(what: str) -> kit.InfluxQL:
    """Something of every wearable, over time."""
    where = f'FROM "device" WHERE {kit.WEARER} GROUP BY time($__interval), {_BY} fill(null)'
    return kit.query(kit.DETAIL, f"SELECT {what} {where}", _NAME)


def build() -> Any:
    """The dashboard."""
    low = kit.steps((None, kit.RED), (_BATTERY, "transparent"))
    return (
        kit.dashboard("devices", "Devices", "Wearables and their links.", time="now-6h", wearer=False)
        .with_variable(kit.wearers())
        .with_panel(
            kit.note(
                1, "What the bridges say of their wearables every ten seconds; a line ends where nothing was said."
            )
        )
        .with_panel(table(2))
        .with_panel(
            kit.states(
                3,
                "State",
                "What the bridge is doing with each wearable.",
                kit.words({str(s): (word(f"device_state.{s}"), colour) for s, colour in _COLOURS.items()}),
                over_time('last("state")'),
                height=12,
                many=True,
                every="5m",
            )
        )
        .with_panel(
            kit.lines(
                4,
                "Battery",
                f"Below {_BATTERY:.0f} % it is low.",
                "percent",
                over_time('min("battery_percent")'),
                low=0,
                high=100,
                limits=low,
                every="5m",
                legend=False,
            )
        )
        .with_panel(
            kit.lines(
                5,
                "Signal",
                "Strength of the radio link.",
                "dBm",
                over_time('mean("rssi_dbm")'),
                every="5m",
                legend=False,
            )
        )
        .with_panel(
            kit.lines(
                6,
                "Samples lost",
                "Lost since the wearable connected.",
                "none",
                over_time('max("samples_lost")'),
                low=0,
                every="5m",
                legend=False,
            )
        )
        .with_panel(
            kit.lines(
                7,
                "Latency",
                "Time since the newest sample whose results are stored: some seconds while it streams.",
                "s",
                over_time('max("behind_s")'),
                low=0,
                every="5m",
                legend=False,
            )
        )
        .with_panel(
            kit.lines(
                8, "Rate", "Samples a second.", "hertz", over_time('mean("rate_hz")'), low=0, every="5m", legend=False
            )
        )
        .with_panel(
            kit.lines(
                9,
                "Waiting in the bridge's spool",
                "Blocks not yet known to be stored; they wait for the broker or the worker.",
                "none",
                over_time('max("spooled_blocks")'),
                low=0,
                every="5m",
                legend=False,
            )
        )
    )


def table(id_: int) -> Any:
    """One line a wearable."""
    shown = {
        "wearer": "Wearer",
        "site": "Site",
        "state": "State",
        "reason": "Why silent",
        "newest_ms": "Newest sample",
        "battery_percent": "Battery",
        "rssi_dbm": "Signal",
        "rate_hz": "Rate",
        "samples_lost": "Lost",
        "reconnects": "Reconnects",
        "device": "Device",
        "driver": "Driver",
        "bridge": "Bridge",
    }
    fields = ", ".join(f'"{name}"' for name in shown if name not in ("wearer", "site", "newest_ms"))
    text = f'SELECT last("newest_ms") AS "newest_ms", {fields} FROM "device" WHERE {kit.WEARER} GROUP BY {_BY}'
    return kit.rows(
        id_,
        "Wearables",
        "The latest word on each wearable in the range.",
        "none",
        kit.query(kit.DETAIL, text, as_table=True),
        span=24,
        height=8,
        sort=("Wearer", False),
        transform=[kit.named(shown)],
        overrides=[
            (
                "State",
                kit.prop(
                    mappings=[
                        {
                            "type": "value",
                            "options": {
                                str(s): {"text": word(f"device_state.{s}"), "color": colour, "index": index}
                                for index, (s, colour) in enumerate(_COLOURS.items())
                            },
                        }
                    ],
                    custom__cellOptions={"type": "color-text"},
                ),
            ),
            ("Newest sample", kit.prop(unit="dateTimeFromNow")),
            ("/^(Site|State|Device|Driver|Bridge|Newest sample)$/", kit.prop(custom__width=125)),
            ("Battery", kit.prop(unit="percent", decimals=0, custom__width=80)),
            ("Signal", kit.prop(unit="dBm", decimals=0, custom__width=85)),
            ("Rate", kit.prop(unit="hertz", decimals=1, custom__width=90)),
            ("/^(Lost|Reconnects)$/", kit.prop(unit="none", decimals=0, custom__width=105)),
        ],
    )
