"""The command line: one clear line for whatever goes wrong, and an exit status a script can trust."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from pasimeta import __version__
from pasimeta.cli import browser, evidence, pooling, runs
from pasimeta.cli.printing import print_refusal
from pasimeta.errors import PasimetaError

BAD_INPUT, INTERRUPTED = 2, 130

app = typer.Typer(
    name="pasimeta",
    help="A living meta-analysis of mesenchymal stromal cell therapy for plaque psoriasis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # its import would take longer than everything else of --help
)

export = typer.Typer(help="Write the analysis in another tool's form.", no_args_is_help=True)
export.command()(runs.snakemake)
app.add_typer(export, name="export")

for _command in (
    runs.run,
    runs.verify,
    runs.diff,
    pooling.pool,
    pooling.gosh,
    evidence.extract,
    pooling.multiverse,
    evidence.new_study,
    browser.dashboard,
    evidence.check,
    evidence.audit,
):
    app.command()(_command)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"pasimeta {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; a refusal is one message and exit status 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what cancels a job on a cluster ends it tidily, too
    try:
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # as pasimeta.__main__ has it until now
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if hasattr(signal, "pthread_sigmask"):  # a watching run that starts itself afresh has them wait till now
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        app()
    except BaseException as end:
        if _is_interruption(end):
            sys.stdout.flush()  # of a line it may have come in the middle of
            typer.echo("pasimeta: interrupted; nothing is half-written", err=True)
            sys.exit(INTERRUPTED)
        if not isinstance(end, PasimetaError):
            raise
        print_refusal(str(end))
        sys.exit(BAD_INPUT)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done: a late Ctrl-C must not print a traceback


def _is_interruption(end: BaseException) -> bool:
    """Whether Ctrl-C is behind it: typer makes an exit of it, and where a thread starts it becomes a RuntimeError."""
    if isinstance(end, SystemExit):
        return end.code == INTERRUPTED
    behind: BaseException | None = end
    while behind is not None and not isinstance(behind, KeyboardInterrupt):
        behind = behind.__context__
    return behind is not None
