"""The command that opens the dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def dashboard(
    config: Annotated[
        Path | None, typer.Option(help="Parameters to start from; the project's config/analysis.yaml by default.")
    ] = None,
    address: Annotated[
        str | None, typer.Option(help="Where to listen; this machine alone (127.0.0.1) unless you say otherwise.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 5006,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Show the page in your browser.")] = True,
) -> None:
    """Change any choice in the browser, and see what it does to the answer."""
    from pasimeta.app.background import Background
    from pasimeta.app.basis import load_basis
    from pasimeta.app.destinations import built_site
    from pasimeta.app.server import LOOPBACK, is_loopback, serve
    from pasimeta.pipeline.project import find_project

    if address is not None and not is_loopback(address):
        typer.echo(f"pasimeta: warning: whoever reaches {address} can use the dashboard; it asks no password", err=True)
    project = find_project()
    typer.echo("reading the evidence ...")
    basis = load_basis(project, config)
    serve(
        basis,
        Background(),
        site=built_site(project.site),
        address=address or LOOPBACK,
        port=port,
        open_browser=open_browser,
        announce=lambda url: typer.echo(f"dashboard: {url}  (Ctrl-C ends it)"),
    )
