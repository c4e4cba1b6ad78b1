"""The sockets into which stores, sinks and sources of blocks plug."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from sagittal.results import Result


@dataclass(frozen=True, slots=True)
class Row:
    """One committed result on its way to a sink; `id` rises with every commit and never repeats."""

    id: int
    wearer: str
    site: str | None
    result: Result


@dataclass(frozen=True, slots=True)
class Written:
    """What a sink made of the rows it was offered: all are dealt with, `refused` were unacceptable, and why."""

    accepted: int
    refused: list[tuple[int, str]] = field(default_factory=list)


@runtime_checkable
class Sink(Protocol):
    """A store beside the truth, fed in order from the outbox; tests/sinks holds the contract every sink passes.

    `write` may be offered the same rows again and must leave the same content as after the first time.
    """

    name: str

    def write(self, rows: Sequence[Row]) -> Written:
        """Take rows in order.

        Raises
        ------
        SinkUnavailable
            Nothing is known to have been written; the same rows will be offered again.
        SinkRefused
            A person must act; feeding stops until then.
        """
        ...

    def erase(self, wearer: str) -> None:
        """Delete everything of a wearer; returns only when nothing is left."""
        ...

    def check(self) -> list[str]:
        """What is wrong with this sink now, each with what to do; empty when all is well."""
        ...

    def close(self) -> None:
        """Release what it holds; may be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """How a wearable (`kind` device, of a wearer's site) or the worker (`kind` service) is doing at a moment.

    It is no result: it is told to sinks that are `Observer`s and kept nowhere else. `values` are numbers with their
    unit in the name, and words.
    """

    kind: Literal["device", "service"]
    t_ns: int
    values: Mapping[str, float | str | None]
    wearer: str | None = None
    site: str | None = None


@runtime_checkable
class Observer(Protocol):
    """A sink that also takes readings; what it can't take within the hour is lost, results never are."""

    def observe(self, readings: Sequence[Reading]) -> None:
        """Take readings; `SinkUnavailable` or `SinkRefused` where it can't."""
        ...


@runtime_checkable
class Reader(Protocol):
    """Read-only sight of the store, for pages, reports and exports; safe beside a running worker."""

    def wearers(self) -> list[str]:
        """Every wearer of whom something is stored, sorted."""
        ...

    def results(self, wearer: str, kind: str, start_ns: int, end_ns: int) -> Iterable[Result]:
        """Results of one kind whose time lies in [start, end), oldest first; a walk counts by its start."""
        ...

    def latest(self, wearer: str, kind: str) -> Result | None:
        """The newest result of a kind."""
        ...

    def devices(self, wearer: str) -> dict[str, dict[str, Any]]:
        """The last known health of each site's device: what stood on its `…/device` topic, plus `seen_ns`."""
        ...

    def close(self) -> None:
        """Release what it holds; may be called twice."""
        ...
