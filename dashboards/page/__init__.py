"""The wearer's live page: an ASGI application that reads the store and listens to live messages."""

from dashboards.page._app import create_app
from dashboards.page._live import LiveSource, MqttLive

__all__ = ["LiveSource", "MqttLive", "create_app"]
