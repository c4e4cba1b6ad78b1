"""`sagittal page`: the wearer's live page."""

from __future__ import annotations

import errno
import socket
import sys
from ipaddress import ip_address
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from sagittal.errors import PortTaken, SettingsError
from sagittal.settings import Settings, load_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

_GRACE_S = 1


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(name="page")(page)


def page(
    host: Annotated[str | None, typer.Option(help="Address to listen on; loopback unless told otherwise.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    lan: Annotated[bool, typer.Option("--lan", help="Listen on the network, with TLS and a log-in.")] = False,
) -> None:
    """Serve the wearer's page from the store and the broker's live messages.

    Example:  sagittal page --port 8420
    """
    settings = _settings(host, port, lan)
    if settings.page.lan:
        _serve_lan(settings)
        return
    _loopback_only(settings.page.host)
    listening = listen(settings.page.host, settings.page.port)
    name = f"[{settings.page.host}]" if ":" in settings.page.host else settings.page.host
    _say(f"page on http://{name}:{listening.getsockname()[1]}")
    serve(application(settings), listening)


def application(settings: Settings) -> FastAPI:
    """The page over the store and the broker of the settings; on the network everyone must log in."""
    from analytics.store import open_reader
    from dashboards.page import MqttLive, create_app

    live = MqttLive(settings)
    return create_app(lambda: open_reader(settings.store_path), live, settings, log_in=settings.page.lan)


def serve(app: FastAPI, listening: socket.socket, **tls: str) -> None:
    """Serve until told to stop; open live streams are let go at once."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            app.state.page.hub.close()
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        log_level="warning",
        timeout_graceful_shutdown=_GRACE_S,
        server_header=False,
        ssl_certfile=tls.get("certificate"),
        ssl_keyfile=tls.get("key"),
    )
    Server(config).run(sockets=[listening])


def _serve_lan(settings: Settings) -> None:
    from dashboards.page import certificates, lan_names

    names = lan_names()
    made = certificates(settings.data_dir / "tls", names)
    page = settings.page.model_copy(update={"allowed_hosts": [*settings.page.allowed_hosts, *names]})
    guarded = settings.model_copy(update={"page": page})
    listening = listen("0.0.0.0", settings.page.port)  # noqa: S104  # --lan asks for it, and everyone must log in
    url = f"https://{names[0]}:{listening.getsockname()[1]}"
    _say(f"page on {url}")
    _say(f"a phone trusts it once it has installed {url}/install; the authority's fingerprint is {made.fingerprint}")
    _say("pair a phone with: sagittal access pair --wearer NAME")
    serve(application(guarded), listening, certificate=str(made.leaf), key=str(made.key))


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises
    ------
    PortTaken
        Where another program has the port.
    SettingsError
        Where the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"port {port} on {host} belongs to another program: stop it, or choose another with "
                f"--port or SAGITTAL_PAGE__PORT"
            ) from None
        raise SettingsError(
            f"the page can't listen on {host}:{port} ({error.strerror}): choose another --host"
        ) from None
    listening.listen(128)
    return listening


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _settings(host: str | None, port: int | None, lan: bool) -> Settings:
    settings = load_settings()
    given = (("host", host), ("port", port), ("lan", lan or None))
    changes = {name: value for name, value in given if value is not None}
    return settings.model_copy(update={"page": settings.page.model_copy(update=changes)})


def _loopback_only(host: str) -> None:
    try:
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise SettingsError(
            f"the page would listen on {host} without a log-in: use 127.0.0.1, or --lan with its log-in"
        )
