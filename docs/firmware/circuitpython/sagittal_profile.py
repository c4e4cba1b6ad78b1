"""Sagittal's GATT profile without any board, for CircuitPython and MicroPython: packets and commands.

The layout stands in docs/wearables.md; tests/wearables/test_firmware.py reads what this writes.
"""

import struct

SERVICE = "5a610000-41b6-4e0c-9d5a-2f8c3a7be914"
DATA = "5a610001-41b6-4e0c-9d5a-2f8c3a7be914"
INFO = "5a610002-41b6-4e0c-9d5a-2f8c3a7be914"
CONTROL = "5a610003-41b6-4e0c-9d5a-2f8c3a7be914"
TIME = "5a610004-41b6-4e0c-9d5a-2f8c3a7be914"
VERSION, HAS_GYR, HAS_SIGNAL = 1, 1, 2
STOP, START, SIGNAL = 0, 1, 2
SAMPLES = 5
DATA_BYTES, INFO_BYTES, TIME_BYTES = 6 + 12 * SAMPLES, 14, 12


class Profile:
    """Packs samples, m/s² and rad/s, as counts of the scales that `info` tells."""

    def __init__(self, acc_scale, gyr_scale):
        self.acc_scale, self.gyr_scale = acc_scale, gyr_scale
        self.streaming = False
        self.rate_hz = 50
        self.signal_ms = 0
        self._number = self._filled = 0
        self._packet = bytearray(DATA_BYTES)

    def control(self, data):
        """Take a write to the control characteristic; what it was, None where it was nothing."""
        if len(data) >= 1 and data[0] == STOP:
            self.streaming = False
            return STOP
        if len(data) >= 6 and data[0] == START:
            self.rate_hz = struct.unpack_from("<H", data, 1)[0]
            self.streaming, self._filled = True, 0
            return START
        if len(data) >= 3 and data[0] == SIGNAL:
            self.signal_ms = struct.unpack_from("<H", data, 1)[0]
            return SIGNAL
        return None

    def info(self, features, granted_hz):
        """What the board grants."""
        return struct.pack("<BBIff", VERSION, features, int(granted_hz * 1000 + 0.5), self.acc_scale, self.gyr_scale)

    def sample(self, us, acc, gyr):
        """Take a sample of the device time `us`; the packet when it is full, else None."""
        if self._filled == 0:
            struct.pack_into("<HI", self._packet, 0, self._number & 0xFFFF, us & 0xFFFFFFFF)
        row = [_count(v, self.acc_scale) for v in acc] + [_count(v, self.gyr_scale) for v in gyr]
        struct.pack_into("<6h", self._packet, 6 + 12 * self._filled, *row)
        self._number += 1
        self._filled = (self._filled + 1) % SAMPLES
        return None if self._filled else bytes(self._packet)

    def missed(self):
        """Leave out a sample that was due; what waits goes with it, for a packet has no holes."""
        self._number += 1
        self._filled = 0


def time_reply(token, received_us, sent_us):
    """Answer a question about the time: when it came and when this leaves, µs."""
    return bytes(token) + struct.pack("<II", received_us & 0xFFFFFFFF, sent_us & 0xFFFFFFFF)


def _count(value, scale):
    return max(-32768, min(32767, int(value / scale + (0.5 if value >= 0 else -0.5))))
