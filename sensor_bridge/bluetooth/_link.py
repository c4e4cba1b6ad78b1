"""One connection to a wearable: performs scripts, and hands over what comes, with the time at which it came."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from sensor_bridge.bluetooth._why import FAILURES
from sensor_bridge.wearable import (
    Ask,
    Char,
    Event,
    Gatt,
    Read,
    Script,
    Session,
    Sleep,
    Subscribe,
    WearableRefused,
    Write,
)

QUEUE = 4096
DISCONNECT_S = 10.0
WRITE_S = 10.0


@dataclass(slots=True)
class Link:
    """Scripts in, events out. Notifications are only stamped and queued where they arrive; `drain` decodes them.

    `overruns` counts notifications dropped, oldest first, because nobody drained.
    """

    client: BleakClient
    session: Session | None = None
    overruns: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _queue: deque[tuple[Char, bytes, int]] = field(default_factory=deque)
    _chars: dict[Char, BleakGATTCharacteristic] = field(default_factory=dict)
    _waiting: list[tuple[Char, Callable[[bytes], bool], asyncio.Future[bytes]]] = field(default_factory=list)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def gatt(self) -> Gatt:
        """What the connected wearable shows."""
        self._chars = {
            Char(service.uuid.lower(), one.uuid.lower()): one
            for service in self.client.services
            for one in service.characteristics
        }
        return {char: frozenset(one.properties) for char, one in self._chars.items()}

    async def perform(self, script: Script) -> None:
        """Do what a script says, one script at a time.

        Raises
        ------
        WearableRefused
            Where the wearable does not have what the script names, or the script says so.
        BleakError, TimeoutError, OSError, EOFError
            Where the link fails.
        """
        async with self._turn:
            answer: bytes | None = None
            failure: BaseException | None = None
            with contextlib.closing(script):
                while True:
                    try:
                        action = _next(script, answer, failure)
                    except StopIteration:
                        return
                    answer = failure = None
                    try:
                        match action:
                            case Subscribe(char):
                                await self._subscribe(char)
                            case Read(char):
                                answer = bytes(await self.client.read_gatt_char(self._char(char)))
                                self._put(char, answer)
                            case Write(char, data, response):
                                await self._write(char, data, response)
                            case Ask():
                                answer = await self._ask(action)
                            case Sleep(seconds):
                                await asyncio.sleep(seconds)
                    except TimeoutError as error:
                        failure = error

    def drain(self) -> list[tuple[Event, int]]:
        """Everything that came since the last call, decoded, each with its monotonic arrival, ns."""
        self.arrived.clear()
        out: list[tuple[Event, int]] = []
        while self._queue:
            char, data, arrival_ns = self._queue.popleft()
            if self.session is not None:
                out += [(event, arrival_ns) for event in self.session.feed(char, data)]
        return out

    async def close(self) -> None:
        """Disconnect within ten seconds, or forget it; never raises."""
        for _, _, future in self._waiting:
            future.cancel()
        with contextlib.suppress(*FAILURES):
            await asyncio.wait_for(self.client.disconnect(), DISCONNECT_S)

    def _char(self, char: Char) -> BleakGATTCharacteristic:
        found = self._chars.get(char)
        if found is None:
            raise WearableRefused(f"the wearable has no characteristic {char.uuid}: check its firmware and its driver")
        return found

    async def _subscribe(self, char: Char) -> None:
        def notified(_: BleakGATTCharacteristic, data: bytearray) -> None:
            self._put(char, bytes(data))

        async with asyncio.timeout(WRITE_S):
            await self.client.start_notify(self._char(char), notified)

    async def _write(self, char: Char, data: bytes, response: bool) -> None:
        found = self._char(char)
        if response and "write" not in found.properties:
            response = False
        elif not response and "write-without-response" not in found.properties:
            response = True
        async with asyncio.timeout(WRITE_S):
            await self.client.write_gatt_char(found, data, response=response)

    async def _ask(self, ask: Ask) -> bytes:
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        entry = (ask.reply, ask.match, future)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(ask.timeout_s):
                await self._write(ask.char, ask.data, ask.response)
                return await future
        finally:
            self._waiting.remove(entry)

    def _put(self, char: Char, data: bytes) -> None:
        arrival_ns = time.monotonic_ns()
        if len(self._queue) >= QUEUE:
            self._queue.popleft()
            self.overruns += 1
        self._queue.append((char, data, arrival_ns))
        for reply, match, future in self._waiting:
            if reply == char and not future.done() and match(data):
                future.set_result(data)
                break
        self.arrived.set()


def _next(script: Generator[object, bytes | None, None], answer: bytes | None, failure: BaseException | None) -> object:
    return script.throw(failure) if failure is not None else script.send(answer)
