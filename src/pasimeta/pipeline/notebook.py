"""What a notebook needs from the pipeline: the evidence, tables in and out, and a place for figures."""

from __future__ import annotations

import html
import json
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pasimeta.errors import PasimetaWarning
from pasimeta.evidence.entries import entry_href
from pasimeta.evidence.store import Evidence, load_evidence
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.project import RESULTS_VARIABLE, WORKSPACE_FILE, Project, find_project
from pasimeta.report.rests_on import rests_on_html

if TYPE_CHECKING:
    import pandera.pandas as pa

    from pasimeta.figures.output import Plot

MINUS = "\u2212"
DIGITS = "%.12g"  # more than any reader needs, fewer than differ between processors


@dataclass(frozen=True, slots=True)
class Workspace:
    """The project a notebook runs in, the folder its results go to, and a Dask scheduler for heavy grids, if any."""

    project: Project
    results: Path
    scheduler: str | None = None

    def evidence(self) -> Evidence:
        """Read and check the data folder."""
        return load_evidence(self.project.data)

    def write(self, name: str, table: pd.DataFrame) -> None:
        """Write ``results/tables/<name>.csv``."""
        write_text(self._table(name), table.to_csv(index=False, float_format=DIGITS, lineterminator="\n"))

    def read(self, name: str, schema: pa.DataFrameSchema | None = None) -> pd.DataFrame:
        """Read a table an earlier notebook wrote.

        Raises
        ------
        EvidenceError
            If it is missing or breaks its schema.
        """
        from pasimeta.evidence.tables import read_table

        return read_table(self._table(name), schema)

    def figure(self, plot: Plot | None, rests_on: Iterable[pd.DataFrame] = ()) -> None:
        """Write a figure to ``results/figures`` as SVG and PNG, and show it; nothing, if there was nothing to draw.

        Its pooled rows lead to the line below it, which ``rests_on`` gives as in :func:`show_table`.
        """
        if plot is None:
            return
        from pasimeta.figures.output import save, show, svg_text

        drawn = svg_text(plot)
        save(plot, self.results / "figures", drawn)
        show(plot, drawn)
        _show_line(rests_on, plot.name)

    def state(self, key: str, heading: str, sentences: list[str], rests_on: Iterable[pd.DataFrame] = ()) -> None:
        """Show sentences, and keep them for the summary as ``results/tables/statements_<key>.csv``.

        The summary's numbers lead to them, and from the line below, ``rests_on`` as in :func:`show_table`, on.
        """
        text = "\n\n".join(sentence for sentence in sentences if sentence)
        self.write(f"statements_{key}", pd.DataFrame([{"key": key, "heading": heading, "text": text}]))
        say(f'<span id="statement-{key}"></span>', text)  # what the summary's numbers link to
        _show_line(rests_on, f"statement-{key}")

    def _table(self, name: str) -> Path:
        return self.results / "tables" / f"{name}.csv"


def workspace() -> Workspace:
    """Return the workspace of the running notebook.

    It is the folder the runner has prepared for it, or ``results/`` of the project around it (the environment variable
    ``PASIMETA_RESULTS`` names another).

    Doubts are kept on every result, and the notebooks print them from there; as warnings they would bring paths of this
    machine into the executed notebook.
    """
    warnings.simplefilter("ignore", PasimetaWarning)
    prepared = Path(WORKSPACE_FILE)
    if prepared.is_file():
        note = json.loads(prepared.read_text(encoding="utf-8"))
        return Workspace(Project(Path(note["project"])), Path.cwd(), note["scheduler"])
    project = find_project()
    named = os.environ.get(RESULTS_VARIABLE)
    return Workspace(project, Path(named) if named else project.results)


def say(*paragraphs: str, rests_on: Iterable[pd.DataFrame] = ()) -> None:
    """Show paragraphs of Markdown as the notebook's own prose; ``rests_on`` as in :func:`show_table`."""
    from IPython.display import Markdown, display

    display(Markdown("\n\n".join(p for p in paragraphs if p)))
    _show_line(rests_on)


def show_table(
    table: pd.DataFrame,
    caption: str,
    columns: Mapping[str, str] | None = None,
    links: Mapping[str, Iterable[Any]] | None = None,
    rests_on: Iterable[pd.DataFrame] = (),
) -> None:
    """Show a table with a caption and headings a reader understands.

    Parameters
    ----------
    table : DataFrame
        Text is shown as it is, numbers to three significant places, ``None`` and NaN as a dash.
    caption : str
        What the table shows.
    columns : mapping, optional
        Columns to show, in order, with their headings; all by default. A table without rows is said to be none.
    links : mapping, optional
        For a shown column, the entry of the data files that each row's value comes from
        (:mod:`pasimeta.evidence.entries`), or the id of a study; on the site the value links to it. A row without one
        has None or NaN.
    rests_on : iterable of DataFrame, optional
        For a derived table, the tables of the evidence it was worked out from: their figures are named below it, each a
        link (:mod:`pasimeta.report.rests_on`).
    """
    from IPython.display import HTML, display

    if table.empty:
        say(f"{caption}: none.")
        return
    headings = dict(columns or {name: str(name) for name in table.columns})
    shown = table_html(table[list(headings)], caption, list(headings.values()), links)
    display(HTML(shown + rests_on_html(*rests_on)))


def table_html(
    table: pd.DataFrame, caption: str, headings: list[str], links: Mapping[str, Iterable[Any]] | None = None
) -> str:
    """Return a table as HTML with a caption and scoped headings; every value is escaped, ``links`` as in show_table."""
    entries = {name: list(ids) for name, ids in (links or {}).items()}
    head = "".join(f'<th scope="col">{html.escape(heading)}</th>' for heading in headings)
    types = pd.api.types
    numeric = [types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype) for dtype in table.dtypes]
    rows = []
    for row, values in enumerate(table.itertuples(index=False)):
        cells = []
        for position, (name, value, is_number) in enumerate(zip(table.columns, values, numeric, strict=True)):
            text = _linked(html.escape(_cell(value)), entries[name][row] if name in entries else None)
            style = ' class="number"' if is_number else ""
            cells.append(f'<th scope="row">{text}</th>' if position == 0 else f"<td{style}>{text}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="table-scroll" tabindex="0" role="region" aria-label="{html.escape(caption, quote=True)}">'
        f"<table><caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _show_line(rests_on: Iterable[pd.DataFrame], owner: str = "") -> None:
    from IPython.display import HTML, display

    if line := rests_on_html(*rests_on, owner=owner):
        display(HTML(line))


def _linked(text: str, entry: Any) -> str:
    # a missing entry may be None or, from a table read back, NaN
    return f'<a href="{html.escape(entry_href(entry))}">{text}</a>' if isinstance(entry, str) and text != "–" else text


def _cell(value: Any) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and value != value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value).replace("-", MINUS)
    if isinstance(value, float):
        text = f"{value:.0f}" if value == round(value) and abs(value) < 1e6 else f"{value:.3g}"
        return text if "e" in text else text.replace("-", MINUS)
    return str(value)
