"""The one root of every error that Sagittal raises on purpose."""

from __future__ import annotations


class SagittalError(Exception):
    """Something a person can act on: the message says what happened, to what, and what to do."""


class BlockError(SagittalError):
    """Bytes or values that are no valid block of samples."""


class RecordingError(SagittalError):
    """A recording that can't be read as what it claims to be."""


class SettingsError(SagittalError):
    """Settings that are missing, contradictory or out of range."""


class NameRefused(SagittalError):
    """A wearer, site or device name outside the permitted characters."""


class StoreError(SagittalError):
    """The store can't be opened, read or written."""


class BrokerError(SagittalError):
    """The MQTT broker is absent, refuses, or can't be started."""


class PortTaken(SagittalError):
    """A port that Sagittal should listen on belongs to another program."""


class SinkUnavailable(SagittalError):
    """A sink can't take anything now; what was offered must be offered again later."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class SinkRefused(SagittalError):
    """A sink refuses for a reason that only a person can mend (wrong token, missing bucket)."""
