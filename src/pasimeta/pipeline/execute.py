"""Execute one notebook with papermill in a folder of its own."""

from __future__ import annotations

import json
import logging
import re
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pasimeta.errors import NotebookError
from pasimeta.pipeline.executed import normalized, without_slow_format_check
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.manifest import Notebook
from pasimeta.pipeline.project import WORKSPACE_FILE, Project

CELL_TIMEOUT = 600  # seconds; the slowest cell takes a few


@dataclass(frozen=True, slots=True)
class Job:
    """A notebook to execute.

    Attributes
    ----------
    project : Project
    notebook : Notebook
    parameters : dict
        What papermill injects.
    folder : path
        Its own: the kernel's working directory, with copies of the tables it reads; results appear in it.
    kept : path
        Where the notebook goes if it fails.
    timeout : float
        Seconds a cell may take.
    at_cell : callable
        Told the number of each cell that starts, counted from 1.
    stop : Event
        Once it is set, no further cell starts and nothing is kept.
    scheduler : str or None
        Address of a Dask scheduler that the notebook may send heavy grids to.
    """

    project: Project
    notebook: Notebook
    parameters: dict[str, Any]
    folder: Path
    kept: Path
    timeout: float
    at_cell: Callable[[int], None]
    stop: threading.Event = field(default_factory=threading.Event)
    scheduler: str | None = None


def prepare_folder(job: Job, tables: Path) -> None:
    """Make the job's folder: the tables it may read, and the note that tells its kernel where it is."""
    for name in ("tables", "figures", "notebooks"):
        (job.folder / name).mkdir(parents=True)
    for table in job.notebook.reads:
        shutil.copyfile(tables / f"{table}.csv", job.folder / "tables" / f"{table}.csv")
    note = {"project": str(job.project.root), "scheduler": job.scheduler}
    (job.folder / WORKSPACE_FILE).write_text(json.dumps(note), encoding="utf-8")


def execute(job: Job) -> None:
    """Run the notebook to its end, and write it, normalized, into ``notebooks/`` of its folder.

    Raises
    ------
    NotebookError
        Naming notebook, cell and error. The notebook up to there is kept in ``job.kept``.
    """
    target, current = job.folder / "notebooks" / f"{job.notebook.name}.ipynb", 0

    def at_cell(cell: Any, cell_index: int) -> None:
        nonlocal current
        if job.stop.is_set():
            raise NotebookError(f"{job.notebook.name}: stopped")
        current = cell_index + 1
        job.at_cell(current)

    try:
        _run(job, target, at_cell)
    except FileNotFoundError as error:
        raise NotebookError(f"{error.filename}: is missing; restore the notebook") from None
    except Exception as error:
        problem = _problem(error, current, job.timeout)
        if problem is None:
            raise
        raise _failure(job, target, *problem) from None
    if job.stop.is_set():  # the folder may be on its way out
        raise NotebookError(f"{job.notebook.name}: stopped")
    write_text(target, normalized(target))


def _run(job: Job, target: Path, at_cell: Callable[..., None]) -> None:
    papermill = import_papermill()
    from pasimeta.pipeline import engine
    from pasimeta.pipeline.clients import PromptKernelManager

    papermill.execute_notebook(
        str(job.project.notebooks / f"{job.notebook.name}.ipynb"),
        str(target),
        parameters=job.parameters,
        kernel_name="python3",
        engine_name=engine.NAME,
        kernel_manager_class=PromptKernelManager,
        progress_bar=False,
        execution_timeout=job.timeout,
        on_cell_start=at_cell,
        # papermill's own cwd changes that of the whole process, which other notebooks share
        resources={"metadata": {"path": str(job.folder)}},
        # what a notebook runs is no part of the reader's own history
        extra_arguments=["--log-level=ERROR", "--HistoryManager.enabled=False"],
        shutdown_kernel="immediate",  # nothing of a kernel is needed after its last cell
    )


def _problem(error: Exception, cell: int, timeout: float) -> tuple[str, str] | None:
    """Return what stopped a notebook at a cell, and the lines that raised it; None for what is no notebook's doing."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill import PapermillExecutionError

    match error:
        case PapermillExecutionError():
            problem = f"cell {error.cell_index + 1}: {error.ename}: {_plain(error.evalue)}"
            return problem, _raising_lines(error.traceback)
        case CellTimeoutError():
            return f"cell {cell}: ran longer than {timeout:g} s; raise --timeout or mend the cell", ""
        case DeadKernelError():
            return f"cell {cell}: its kernel died; it was killed, most likely for want of memory", ""
        case RuntimeError() if "Kernel died before" in str(error):  # jupyter_client has no type of its own for this
            return "its kernel died before the first cell; it was killed, most likely for want of memory", ""
    return None


def _failure(job: Job, target: Path, problem: str, raised: str) -> NotebookError:
    """Return what is said of a notebook that has failed, which is kept as far as it went."""
    if job.stop.is_set():
        return NotebookError(f"{job.notebook.name}: stopped")
    remedy = ""
    if target.is_file():
        write_text(job.kept, target.read_text(encoding="utf-8"))
        remedy = f"; the notebook up to there is in {job.kept}"
    return NotebookError(f"{job.notebook.name}: {problem}{remedy}{raised}")


def outputs(job: Job) -> list[str]:
    """Return what the notebook made, as paths in its folder.

    Raises
    ------
    NotebookError
        If it wrote other tables than the manifest says.
    """
    written = {path.stem for path in (job.folder / "tables").iterdir()} - set(job.notebook.reads)
    if written != set(job.notebook.writes):
        odd = ", ".join(sorted(written ^ set(job.notebook.writes)))
        raise NotebookError(f"{job.notebook.name}: the manifest and the tables it wrote differ in: {odd}; mend either")
    made = [f"tables/{name}.csv" for name in sorted(written)]
    made += [f"figures/{path.name}" for path in sorted((job.folder / "figures").iterdir())]
    return [*made, f"notebooks/{job.notebook.name}.ipynb"]


def import_papermill() -> Any:
    """Import papermill, which takes a while, and return it."""
    without_slow_format_check()
    import papermill

    logging.getLogger("papermill").addHandler(logging.NullHandler())  # what fails is said once, by NotebookError
    return papermill


def _raising_lines(traceback: list[str]) -> str:
    """Return the line of the cell and the line that raised, indented, each on a line of its own."""
    marked = [re.match(r"-+> *\d+ ?(.*)", line) for line in _plain("\n".join(traceback)).splitlines()]
    code = [match[1].strip() for match in marked if match]
    return "".join(f"\n    {line}" for line in dict.fromkeys([*code[:1], *code[-1:]]))


def _plain(message: Any) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", str(message)).strip()
