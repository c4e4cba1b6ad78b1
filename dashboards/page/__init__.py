"""The wearer's live page: an ASGI application that reads the store and listens to live messages."""

from dashboards.page._access import Access, Role
from dashboards.page._app import create_app
from dashboards.page._certificate import Certificates, certificates
from dashboards.page._lan import lan_names
from dashboards.page._live import LiveSource, MqttLive

__all__ = [
    "Access",
    "Certificates",
    "LiveSource",
    "MqttLive",
    "Role",
    "certificates",
    "create_app",
    "lan_names",
]
