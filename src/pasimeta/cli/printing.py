"""How commands print: the forms of a result, and the exit status that says something was found."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

from pasimeta.errors import PasimetaWarning

if TYPE_CHECKING:
    import pandas as pd

FINDINGS = 1


class Format(StrEnum):
    """How a result is printed."""

    table = "table"
    json = "json"
    csv = "csv"


def csv_text(frame: pd.DataFrame) -> str:
    """Return a table as CSV without its last line end, which printing adds."""
    return frame.to_csv(index=False, lineterminator="\n").rstrip("\n")


def print_refusal(message: str) -> None:
    """Print a refusal on the error stream, each line marked as ours."""
    for line in message.splitlines():
        typer.echo(f"pasimeta: {line}", err=True)


@contextmanager
def doubts_on_the_result() -> Iterator[None]:
    """Silence warnings that are printed with the result, where the reader looks."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PasimetaWarning)
        yield
