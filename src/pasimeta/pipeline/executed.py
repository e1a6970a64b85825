"""Executed notebooks as files: without what changes from run to run, and without what betrays the machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

INJECTED_CELL = "injected-parameters"


def without_slow_format_check() -> None:
    """Make what reads notebooks import in a fifth of the time; to be called before it is imported."""
    # jsonschema tries this grammar, at two seconds of import, to check a format no notebook uses
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def normalized(path: Path) -> str:
    """Return an executed notebook's text without what changes from run to run or betrays the machine."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    parameters = notebook.metadata.get("papermill", {}).get("parameters", {})
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "papermill": {"parameters": parameters},
    }
    for position, cell in enumerate(notebook.cells):
        cell.id = f"cell-{position:02d}"
        tags = cell.metadata.get("tags", [])
        cell.metadata = {"tags": [t for t in tags if t != "papermill-error-cell-tag"]} if tags else {}
    return _text(notebook)


def committed(path: Path) -> str:
    """Return the text of the notebook to commit: executed at its own defaults, without the injected parameters."""
    import nbformat

    notebook = nbformat.reads(normalized(path), as_version=4)
    cells = [cell for cell in notebook.cells if INJECTED_CELL not in cell.metadata.get("tags", [])]
    execution = 0
    for position, cell in enumerate(cells):
        cell.id = f"cell-{position:02d}"
        if cell.cell_type == "code":
            execution += 1
            cell.execution_count = execution
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = execution
    notebook.cells = cells
    del notebook.metadata["papermill"]
    return _text(notebook)


def _text(notebook: NotebookNode) -> str:
    import nbformat

    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"
