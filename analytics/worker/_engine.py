"""The pipeline as the worker sees it: one state a wearer, results out, and nothing that can bring the worker down."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import Any, Protocol, cast

from sagittal import __version__
from sagittal.blocks import Block
from sagittal.errors import SagittalError
from sagittal.messages import Command
from sagittal.results import Event, Result
from sagittal.settings import Settings, Wearer

_log = logging.getLogger(__name__)

Parts = Sequence[bytes]


class Pipeline(Protocol):
    """What `analytics.pipeline` offers; pure, so that a state saved with its results is all there is to resume from."""

    def initial_state(self, profile: Wearer) -> Any:
        """The state before the first sample."""
        ...

    def steps(self, state: Any, blocks: Sequence[Block]) -> tuple[Any, Sequence[Result]]:
        """The state behind blocks, and what they led to: the same as one by one."""
        ...

    def command(self, state: Any, command: Command) -> tuple[Any, Sequence[Result]]:
        """The state behind a wish, and what it led to."""
        ...

    def dump_state(self, state: Any) -> tuple[bytes, ...]:
        """The state as parts, most of which stay as they are from one second to the next."""
        ...

    def load_state(self, parts: Sequence[bytes]) -> Any:
        """The state from its parts; raises `SagittalError` where another version wrote them."""
        ...


def default_pipeline() -> Pipeline:
    """The pipeline of this program."""
    return cast("Pipeline", import_module("analytics.pipeline"))


@dataclass(slots=True)
class Engine:
    """Runs the pipeline for every wearer. A flaw in it costs that wearer's state, never the worker."""

    settings: Settings
    pipeline: Pipeline
    failures: int = 0
    _states: dict[str, Any] = field(default_factory=dict)
    _touched: set[str] = field(default_factory=set)

    def steps(self, blocks: Sequence[Block], stored: Parts | None) -> list[Result]:
        """What blocks of one wearer lead to; `stored` is the saved state, used where none is in memory.

        Where they can't be taken together they are taken one by one, so that a flaw costs no more than one of them.
        """
        wearer = blocks[0].wearer
        if len(blocks) > 1 and wearer in self._states:
            try:
                self._states[wearer], results = self.pipeline.steps(self._states[wearer], blocks)
            except Exception:  # noqa: BLE001  # said below, by the block that it is about
                _log.info("%d blocks of wearer %s failed together: taken one by one", len(blocks), wearer)
            else:
                self._touched.add(wearer)
                return list(results)
        found: list[Result] = []
        for block in blocks:
            found += self._run(wearer, block.t0_ns, stored, partial(self._alone, block))
        return found

    def _alone(self, block: Block, state: Any) -> tuple[Any, Sequence[Result]]:
        return self.pipeline.steps(state, (block,))

    def command(self, command: Command, stored: Parts | None) -> list[Result]:
        """What a wish leads to."""
        return self._run(command.wearer, command.t_ns, stored, lambda state: self.pipeline.command(state, command))

    def knows(self, wearer: str) -> bool:
        """Whether the wearer's state is in memory."""
        return wearer in self._states

    def dumped(self) -> dict[str, Parts]:
        """The states touched since the last call, as parts."""
        touched, self._touched = self._touched, set()
        return {wearer: self.pipeline.dump_state(self._states[wearer]) for wearer in sorted(touched)}

    def drop(self, wearer: str) -> None:
        """Forget a wearer's state."""
        self._states.pop(wearer, None)
        self._touched.discard(wearer)

    def _run(self, wearer: str, t_ns: int, stored: Parts | None, do: Any) -> list[Result]:
        notes: list[Result] = []
        if wearer not in self._states:
            self._states[wearer] = self._load(wearer, t_ns, stored, notes)
        self._touched.add(wearer)
        try:
            self._states[wearer], results = do(self._states[wearer])
        except Exception as error:  # noqa: BLE001  # one bad block must not stop every wearer's worker for ever
            self.failures += 1
            _log.error("the pipeline failed for wearer %s: %s: %s", wearer, type(error).__name__, error)
            self._states[wearer] = self.pipeline.initial_state(self.settings.wearer(wearer))
            return [*notes, _note(t_ns, "pipeline_failed", "The analysis failed here and began anew.")]
        return [*notes, *results]

    def _load(self, wearer: str, t_ns: int, stored: Parts | None, notes: list[Result]) -> Any:
        if stored is not None:
            try:
                return self.pipeline.load_state(stored)
            except (SagittalError, ValueError, KeyError, TypeError) as error:
                _log.warning("the saved state of wearer %s is of no use: %s; begun anew", wearer, error)
                notes.append(_note(t_ns, "state_dropped", "The analysis was updated and began anew here."))
        return self.pipeline.initial_state(self.settings.wearer(wearer))


def _note(t_ns: int, key: str, text: str) -> Event:
    return Event(t_ns=t_ns, event="note", key=key, text=text, version=__version__)
