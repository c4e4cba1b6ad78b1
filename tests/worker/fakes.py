"""A pipeline small enough to be checked by hand, and blocks to feed it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sagittal.blocks import Block, Cursor, unpack_int16
from sagittal.errors import SagittalError
from sagittal.messages import Command
from sagittal.names import PostureLabel, Site
from sagittal.results import Angles, Event, Posture, Result
from sagittal.settings import Wearer
from sagittal.units import NS_PER_S

BOOT_A, BOOT_B, BOOT_C = b"a" * 8, b"b" * 8, b"c" * 8
POISON = 32_000
START_NS = 1_700_000_000 * NS_PER_S


class SumPipeline:
    """Says, for every whole second, how many samples it saw and what they sum to; fails on a poisoned sample."""

    version = 1

    def initial_state(self, profile: Wearer) -> dict[str, Any]:
        return {"second": None, "n": 0, "sum": 0, "total": 0, "height_m": profile.height_m}

    def steps(self, state: dict[str, Any], blocks: Sequence[Block]) -> tuple[dict[str, Any], Sequence[Result]]:
        results: list[Result] = []
        for block in blocks:
            state, found = self._step(state, block)
            results += found
        return state, results

    def _step(self, state: dict[str, Any], block: Block) -> tuple[dict[str, Any], Sequence[Result]]:
        state, results = dict(state), []
        values = unpack_int16(block.acc)
        for index, t_ns in enumerate(block.times_ns()):
            if values[3 * index] == POISON:
                raise ZeroDivisionError("poisoned")
            second = t_ns // NS_PER_S
            if state["second"] is not None and second != state["second"]:
                results.append(self._posture(state))
                state["n"] = state["sum"] = 0
            state["second"] = second
            state["n"] += 1
            state["total"] += 1
            state["sum"] += values[3 * index]
        angles = Angles(t_ns=block.t0_ns, dt_ns=block.dt_ns, flexion_deg=[1.0], lateral_deg=[None])
        return state, [angles, *results]

    def command(self, state: dict[str, Any], command: Command) -> tuple[dict[str, Any], Sequence[Result]]:
        return state, [Event(t_ns=command.t_ns, event="note", key=command.verb, text=command.id, version="1")]

    def dump_state(self, state: dict[str, Any]) -> tuple[bytes, ...]:
        return str(self.version).encode(), json.dumps(state).encode()

    def load_state(self, parts: Sequence[bytes]) -> dict[str, Any]:
        found = {"version": json.loads(parts[0]), "state": json.loads(parts[1])}
        if found["version"] != self.version:
            raise SagittalError("another version")
        return dict(found["state"])

    @staticmethod
    def _posture(state: dict[str, Any]) -> Posture:
        return Posture(
            t_ns=state["second"] * NS_PER_S,
            posture=PostureLabel.STANDING,
            since_ns=START_NS,
            confidence=1.0,
            flexion_deg=float(state["n"]),
            lateral_deg=float(state["sum"]),
            version="1",
        )


def block(
    seq: int,
    boot: bytes = BOOT_A,
    *,
    head: bool = False,
    follows: Cursor | None = None,
    wearer: str = "w1",
    value: int | None = None,
    n: int = 50,
) -> Block:
    """Half a second of a stream at 100 Hz whose time goes on through seq; every sample holds its own number."""
    first = seq * n
    rows = [entry for i in range(n) for entry in ((first + i) % 1000 if value is None else value, 0, 0)]
    return Block(
        wearer=wearer,
        site=Site.LOWER_BACK,
        device="fake",
        boot_id=boot,
        seq=seq,
        t0_ns=START_NS + first * 10_000_000,
        dt_ns=10_000_000,
        n=n,
        acc=b"".join(int(entry).to_bytes(2, "little", signed=True) for entry in rows),
        acc_scale=0.001,
        follows=follows,
        head=head,
    )


def stream(count: int, boot: bytes = BOOT_A, wearer: str = "w1") -> list[Block]:
    """The first blocks of a stream, the first marked as head."""
    return [block(seq, boot, head=seq == 0, wearer=wearer) for seq in range(count)]
