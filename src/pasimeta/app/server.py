"""The dashboard in a browser: Panel serves it, with every asset from this machine."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import panel as pn
import param
from bokeh.application.application import SessionContext
from bokeh.document import Document
from bokeh.server.server import Server
from markupsafe import Markup
from panel.custom import JSComponent
from tornado.web import RequestHandler, StaticFileHandler

from pasimeta.app import page
from pasimeta.app.background import Background
from pasimeta.app.basis import Basis
from pasimeta.app.destinations import SITE, Destinations
from pasimeta.app.session import Session
from pasimeta.app.state import State
from pasimeta.errors import ParameterError, PasimetaError

LOOPBACK = "127.0.0.1"
_LONGEST_QUERY = 4000
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Type": "application/yaml; charset=utf-8",
    "Content-Disposition": 'attachment; filename="pasimeta-parameters.yaml"',
}


class Dashboard(JSComponent):
    """One reader's page: the browser sends queries, Python sends regions."""

    layout = param.String(doc="HTML of controls and empty regions.")
    regions = param.Dict({}, doc="HTML by region.")
    query = param.String(doc="The state, as short as it can be.")
    complete = param.String(doc="The state, every control named.")
    at_start = param.Boolean(True, doc="Whether the state is the one the dashboard starts from.")

    _esm = page.FOLDER / "assets" / "dashboard.js"
    _stylesheets = [str(page.FOLDER / "assets" / "dashboard.css")]  # noqa: RUF012 (Panel reads a plain list)

    def __init__(
        self, basis: Basis, background: Background, destinations: Destinations, query: str, **params: Any
    ) -> None:
        super().__init__(layout=page.layout(basis, report=destinations.site is not None), **params)
        self._document: Document | None = pn.state.curdoc
        if self._document is not None:
            self._document.on_session_destroyed(self._forget)
        self._session = Session(basis, background, self._when_ready, destinations)
        self._show(self._session.ask(""))
        if query.strip("?"):
            self._show(self._session.ask(query))
        self._draw()

    def _handle_msg(self, data: dict[str, Any]) -> None:
        if "narrow" in data:
            self._session.narrow = bool(data["narrow"])
            self._soon(self._draw)
            return
        found = self._session.ask(str(data.get("query", ""))[:_LONGEST_QUERY])
        self._show(found)
        if "sentence" in found:
            self._soon(self._draw)  # the words are on their way while the figures are drawn

    def _show(self, found: dict[str, str]) -> None:
        state = self._session.answer.state
        self.param.update(
            regions={**self.regions, **found, "stamp": str(int(self.regions.get("stamp", "0")) + 1)},
            query=state.to_query(),
            at_start=state == self._session.start,
        )
        if "sentence" in found:  # after a refusal the form stays as the reader has left it
            self.complete = state.to_query(complete=True)

    def _draw(self) -> None:
        self.regions = {**self.regions, **self._session.drawn()}

    def _when_ready(self) -> None:
        self._soon(self._show_late)

    def _show_late(self) -> None:
        self.regions = {**self.regions, **self._session.late_regions()}

    def _soon(self, call: Callable[[], None]) -> None:
        if self._document is not None:
            self._document.add_next_tick_callback(call)

    def _forget(self, _: SessionContext) -> None:
        self._document = None  # the reader has left


class ParametersFile(RequestHandler):
    """The state of a query as a file for ``pasimeta run --config``."""

    def initialize(self, basis: Basis) -> None:
        """Keep what the file starts from."""
        self.basis = basis

    def get(self) -> None:
        """Send the file, or say in one line why there is none."""
        query = self.request.query
        try:
            state = State.from_query(query) if query else State.of(self.basis.parameters)
            text = state.to_yaml(self.basis.parameters)
        except ParameterError as error:
            self.set_status(400)
            self.set_header("Content-Type", "text/plain; charset=utf-8")
            self.finish(str(error) + "\n")
            return
        for name, value in _HEADERS.items():
            self.set_header(name, value)
        self.finish(text)


class SitePage(StaticFileHandler):
    """A file of the built site, to be read and no more; what a link in its folder may lead out to isn't shown."""

    def set_extra_headers(self, path: str) -> None:
        """Have nothing guessed and nothing kept: the next run writes the site anew."""
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-cache")

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Refuse what isn't in the folder."""
        return super().validate_absolute_path(os.path.realpath(root), os.path.realpath(absolute_path))


def serve(
    basis: Basis,
    background: Background,
    *,
    site: Path | None = None,
    address: str = LOOPBACK,
    port: int = 0,
    open_browser: bool = False,
    announce: Callable[[str], None] = print,
) -> None:
    """Serve until interrupted.

    Parameters
    ----------
    basis : Basis
    background : Background
    site : path, optional
        Folder of a built site, shown under ``/site/``: names and counts lead there. Without it they lead to documents.
    address : str
        Where to listen. Whoever reaches it can use the dashboard: nobody is asked for a password.
    port : int
        0 takes a free one.
    open_browser : bool
        Show the page.
    announce : callable
        Told the URL once a reader can open it.

    Raises
    ------
    PasimetaError
        If the address or the port can't be had.
    """
    port = _free_port(address, port)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the background process ends, too
    try:
        destinations = Destinations(basis.evidence, site)
        Session(basis, background, lambda: None, destinations).preheat()
        server = _server(basis, background, destinations, address, port)
        server.start()
        url = f"http://{f'[{address}]' if ':' in address else address}:{port}/"
        announce(url)
        if open_browser:
            webbrowser.open(url)
        server.io_loop.start()
    except KeyboardInterrupt:
        pass  # the way to end it
    finally:
        background.close()


def _server(basis: Basis, background: Background, destinations: Destinations, address: str, port: int) -> Server:
    from panel.io.server import get_server

    pn.config.css_files, pn.config.js_files = [], {}
    return get_server(
        {"/": lambda: _document(basis, background, destinations)},
        port=port,
        address=address,
        websocket_origin=_origins(address, port),
        show=False,
        start=False,
        verbose=False,
        title="pasimeta dashboard",
        extra_patterns=[(r"/parameters\.yaml", ParametersFile, {"basis": basis}), *_site_patterns(destinations.site)],
    )


def _site_patterns(site: Path | None) -> list[tuple[str, type[RequestHandler], dict[str, str]]]:
    if site is None:
        return []
    return [(rf"/{SITE}/(.*)", SitePage, {"path": str(site), "default_filename": "index.html"})]


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own.

    Raises
    ------
    PasimetaError
        If it is no address at all.
    """
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise PasimetaError(f"--address {address}: is no IP address; give one such as {LOOPBACK}") from None


def _document(basis: Basis, background: Background, destinations: Destinations) -> pn.Template:
    query = str(pn.state.location.search if pn.state.location else "")
    dashboard = Dashboard(basis, background, destinations, query, sizing_mode="stretch_width")
    template = pn.Template(page.page_template())
    template.add_variable("first", Markup(dashboard.regions.get("alert", "") + dashboard.regions["sentence"]))
    template.add_panel("dashboard", dashboard)
    return template


def _free_port(address: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            return int(probe.getsockname()[1])
    except OSError as error:
        remedy = "choose another with --port, or 0 for any that is free"
        raise PasimetaError(f"{address} port {port}: can't be listened on ({error.strerror}); {remedy}") from None


def _origins(address: str, port: int) -> list[str]:
    """Hosts whose pages may open a websocket: this server's own names, so that no other site can."""
    names = [LOOPBACK, "localhost"] if is_loopback(address) else [address, socket.gethostname()]
    return [f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in dict.fromkeys([address, *names])]
