"""Execute the notebooks with papermill into a folder of results that appears whole or not at all."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pasimeta.errors import NotebookError
from pasimeta.evidence.store import load_evidence
from pasimeta.pipeline.files import staged_folder, write_text
from pasimeta.pipeline.manifest import NOTEBOOKS, Notebook, select
from pasimeta.pipeline.parameters import Parameters
from pasimeta.pipeline.project import PROJECT_VARIABLE, RESULTS_VARIABLE, Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

CELL_TIMEOUT = 600  # seconds; the slowest cell takes a few
INJECTED_CELL = "injected-parameters"


def run(
    project: Project,
    parameters: Parameters,
    *,
    only: Iterable[str] = (),
    results: Path | None = None,
    site: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> None:
    """Execute notebooks, write tables, figures and executed notebooks, and render the site.

    Parameters
    ----------
    project : Project
    parameters : Parameters
    only : iterable of str
        Names or sections of the notebooks to run; none means all. What the others left in ``results`` is kept.
    results, site : path, optional
        Where to; replaced when everything has succeeded, untouched otherwise.
    report : callable
        Receives a line of progress.

    Raises
    ------
    EvidenceError
        If a data file breaks the evidence model; nothing has run then.
    NotebookError
        If a cell fails, naming notebook, cell and error. The notebook up to there is kept in ``results/failed``.
    """
    results, site = results or project.results, site or project.site
    chosen = select(only)
    load_evidence(project.data)
    with staged_folder(results, keep=len(chosen) < len(NOTEBOOKS)) as scratch:
        shutil.rmtree(scratch / "failed", ignore_errors=True)
        _require_inputs(chosen, scratch / "tables")
        with _environment(project, scratch):
            for notebook in chosen:
                report(f"{notebook.name}: {notebook.title}")
                _execute(project, notebook, parameters, scratch, kept=results / "failed" / f"{notebook.name}.ipynb")
        write_text(scratch / "parameters.json", parameters.model_dump_json(indent=2) + "\n")
        from pasimeta.pipeline.site import render_site

        report("site")
        with staged_folder(site, keep=False) as pages:
            render_site(scratch, pages)


def _require_inputs(chosen: tuple[Notebook, ...], tables: Path) -> None:
    made: set[str] = set()
    for notebook in chosen:
        for table in notebook.reads:
            if table not in made and not (tables / f"{table}.csv").is_file():
                maker = next(n for n in NOTEBOOKS if table in n.writes)
                raise NotebookError(
                    f"{notebook.name}: needs results/tables/{table}.csv; add --only {maker.section}, or run everything"
                )
        made.update(notebook.writes)


@contextmanager
def _environment(project: Project, scratch: Path) -> Iterator[None]:
    # kernels inherit the environment; a parameter would leave this machine's paths in the executed notebook
    settings = {
        PROJECT_VARIABLE: str(project.root),
        RESULTS_VARIABLE: str(scratch),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _execute(project: Project, notebook: Notebook, parameters: Parameters, scratch: Path, kept: Path) -> None:
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    executed = scratch / "notebooks" / f"{notebook.name}.ipynb"
    executed.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(project.notebooks / f"{notebook.name}.ipynb"),
            str(executed),
            parameters=parameters.of_notebook(notebook.section, notebook.common),
            kernel_name="python3",
            progress_bar=False,
            execution_timeout=CELL_TIMEOUT,
            extra_arguments=["--log-level=ERROR"],
            shutdown_kernel="immediate",  # nothing of a kernel is needed after its last cell
        )
    except papermill.PapermillExecutionError as error:
        problem = f"cell {error.cell_index + 1}: {error.ename}: {_plain(error.evalue)}"
    except CellTimeoutError:
        problem = f"a cell ran longer than {CELL_TIMEOUT} s"
    except DeadKernelError:
        problem = "its kernel died, most likely for want of memory"
    except FileNotFoundError as error:
        raise NotebookError(f"{error.filename}: is missing; restore the notebook") from None
    else:
        write_text(executed, normalized(executed))
        return
    remedy = ""
    if executed.is_file():
        write_text(kept, executed.read_text(encoding="utf-8"))
        remedy = f"; the notebook up to there is in {kept}"
    raise NotebookError(f"{notebook.name}: {problem}{remedy}")


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


def _plain(message: Any) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", str(message)).strip()
