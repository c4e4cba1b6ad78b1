"""The sink `influx`: results into the three buckets of an InfluxDB 2."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analytics.sinks._lines import DAYS, DETAIL, MINUTES, Point, points, posture_line, reading_point
from analytics.sinks._quarantine import Malformed, Quarantine, TooLarge
from sagittal.errors import SagittalError, SettingsError, SinkRefused
from sagittal.names import check_name
from sagittal.protocols import Reading, Row, Sink, Written
from sagittal.results import Posture
from sagittal.settings import Settings, secret

if TYPE_CHECKING:
    from analytics.sinks._server import Server

MAX_LINES = 5_000
_SENDERS = 3
_REMEMBERED = 20_000
_RETOLD = ("day", "day_pattern", "day_change")
"""Told again and again while they go on; all else is told again only after a crash, and then the same."""
_SETTLE_S = 1.0
_ERASE_TRIES = 5

Key = tuple[str, int]
_About = Row | Reading
"""What a line was made of."""


@dataclass(frozen=True, slots=True)
class _Offered:
    row: Row
    point: Point

    @property
    def key(self) -> Key:
        return self.point.series, self.point.t_ns


class InfluxSink:
    """Writes rows as points; the same point twice is one point.

    A point that is told again with fewer fields (a day's value that can no longer be trusted) is deleted first: an
    InfluxDB would keep the old value of a field that is not named.
    """

    name = "influx"

    def __init__(self, server: Server, buckets: dict[str, str], source: str, quarantine: Quarantine) -> None:
        self._server = server
        self._buckets = buckets
        self._source = source
        self._quarantine = quarantine
        self._told: OrderedDict[Key, frozenset[str]] = OrderedDict()
        self._senders = ThreadPoolExecutor(_SENDERS, thread_name_prefix="influx")

    def write(self, rows: Sequence[Row]) -> Written:
        """Take rows in order; see `Sink`."""
        seconds = [row for row in rows if type(row.result) is Posture]
        newest: dict[Key, _Offered] = {}
        for row in rows:
            if type(row.result) is Posture:
                continue
            for point in points(row, self._source):
                offered = _Offered(row, point)
                newest.pop(offered.key, None)
                newest[offered.key] = offered
        self._unsay(newest)
        refused = self._put_seconds(seconds)
        for kind in (DETAIL, MINUTES, DAYS):
            mine = [one for one in newest.values() if one.point.bucket == kind]
            refused += self._put_all(self._buckets[kind], [one.row for one in mine], [one.point.line for one in mine])
        self._remember(newest)
        return Written(len(rows) - len({row for row, _ in refused}), refused)

    def observe(self, readings: Sequence[Reading]) -> None:
        """Take readings of devices and of the service; see `Observer`."""
        made = [(reading, reading_point(reading, self._source)) for reading in readings]
        found = [(reading, point) for reading, point in made if point is not None]
        self._put_all(self._buckets[DETAIL], [reading for reading, _ in found], [point.line for _, point in found])

    def erase(self, wearer: str) -> None:
        """Delete everything of a wearer, quarantine included; look again until nothing comes back."""
        check_name("wearer", wearer)
        self._quarantine.erase(wearer)
        for key in [key for key in self._told if f",wearer={wearer}," in key[0]]:
            del self._told[key]
        for _ in range(_ERASE_TRIES):
            for bucket in self._used():
                self._server.delete(bucket, f'wearer="{wearer}"')
            time.sleep(_SETTLE_S)
            if not any(self._left(bucket, wearer) for bucket in self._used()):
                return
        raise SinkRefused(f"points of {wearer} keep coming into InfluxDB: stop the wearable or the worker first")

    def check(self) -> list[str]:
        """What is wrong with the server, the token or the buckets now."""
        wrong: list[str] = []
        for bucket in self._used():
            try:
                self._server.write(bucket, "\n")
                self._server.query(bucket, "SHOW MEASUREMENTS LIMIT 1")
            except SagittalError as error:
                wrong.append(f"bucket {bucket}: {error}")
        if kept := self._quarantine.count():
            wrong.append(f"{kept} refused lines lie in {self._quarantine.path}: look why, then delete the file")
        return wrong

    def close(self) -> None:
        """Let go of the connections."""
        self._senders.shutdown()
        self._server.close()

    def _used(self) -> list[str]:
        return sorted(set(self._buckets.values()))

    def _left(self, bucket: str, wearer: str) -> bool:
        return bool(self._server.query(bucket, f"SHOW SERIES WHERE \"wearer\" = '{wearer}' LIMIT 1"))

    def _unsay(self, newest: dict[Key, _Offered]) -> None:
        for one in newest.values():
            point, told = one.point, self._told.get(one.key)
            if told is None and point.measurement not in _RETOLD:
                continue
            if told is None or told - point.names:
                tags = dict(tag.split("=", 1) for tag in point.series.split(",")[1:])
                predicate = " AND ".join(
                    [f'_measurement="{point.measurement}"', *(f'{key}="{value}"' for key, value in tags.items())]
                )
                self._server.delete(self._buckets[point.bucket], predicate, point.t_ns, point.t_ns + 1)

    def _remember(self, newest: dict[Key, _Offered]) -> None:
        for key, one in newest.items():
            if one.point.names and one.point.measurement not in ("minute", "gap"):
                self._told[key] = one.point.names
                self._told.move_to_end(key)
        while len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)

    def _put_seconds(self, rows: list[Row]) -> list[tuple[int, str]]:
        """Write seconds of posture, a few bodies at once: in whatever order they arrive, the content is the same."""
        sent: list[Future[list[tuple[int, str]]]] = []
        for start in range(0, len(rows), MAX_LINES):
            part = rows[start : start + MAX_LINES]
            lines = [posture_line(row.wearer, self._source, row.result) for row in part if type(row.result) is Posture]
            if len(rows) <= MAX_LINES:
                return self._put(self._buckets[DETAIL], part, lines)
            sent.append(self._senders.submit(self._put, self._buckets[DETAIL], part, lines))
        wait(sent)
        return [one for future in sent for one in future.result()]

    def _put_all(self, bucket: str, about: Sequence[_About], lines: list[str]) -> list[tuple[int, str]]:
        refused: list[tuple[int, str]] = []
        for start in range(0, len(lines), MAX_LINES):
            refused += self._put(bucket, about[start : start + MAX_LINES], lines[start : start + MAX_LINES])
        return refused

    def _put(self, bucket: str, about: Sequence[_About], lines: list[str]) -> list[tuple[int, str]]:
        """Write lines; who was refused, and why. What can't be read or is too large is halved down to its line."""
        try:
            dropped, why = self._server.write(bucket, "\n".join(lines))
        except (Malformed, TooLarge) as error:
            if len(lines) == 1:
                self._quarantine.keep(_id(about[0]), about[0].wearer or "", str(error), lines[0])
                return [(_id(about[0]), str(error))]
            middle = len(lines) // 2
            first = self._put(bucket, about[:middle], lines[:middle])
            return first + self._put(bucket, about[middle:], lines[middle:])
        if dropped:
            self._quarantine.keep(_id(about[-1]), "", f"{dropped} of {len(lines)} lines dropped, {why}", "")
        return [(_id(about[-1]), why)] * dropped


def _id(about: _About) -> int:
    return about.id if isinstance(about, Row) else 0


def buckets_of(settings: Settings) -> dict[str, str]:
    """The names of the three buckets."""
    influx = settings.influx
    return {DETAIL: influx.bucket_detail, MINUTES: influx.bucket_minutes, DAYS: influx.bucket_days}


def quarantine_of(settings: Settings) -> Quarantine:
    """Where refused lines are kept."""
    return Quarantine(settings.data_dir / "quarantine" / "influx.jsonl")


def from_settings(settings: Settings) -> Sink | None:
    """The sink that the settings ask for.

    Raises
    ------
    SettingsError
        Where the address or the token is missing, or the client is not installed.
    """
    influx = settings.influx
    if not influx.url:
        return None
    token = secret(influx.token, influx.token_file, "influx.token_file")
    if not token:
        raise SettingsError(
            "influx.url is set, but no token: run `sagittal sink init` and name the file it writes in influx.token_file"
        )
    return InfluxSink(
        open_server(influx.url, influx.org, token), buckets_of(settings), settings.worker.name, quarantine_of(settings)
    )


def open_server(url: str, org: str, token: str) -> Server:
    """A server, or `SettingsError` where the client library is missing."""
    try:
        from analytics.sinks._server import Server
    except ImportError:
        raise SettingsError("influx.url is set, but its client is missing: pip install 'sagittal[influx]'") from None
    return Server(url, org, token)


__all__ = ["InfluxSink", "buckets_of", "from_settings", "open_server", "quarantine_of"]
