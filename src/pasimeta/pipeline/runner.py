"""Run the notebooks that need it, side by side, into a folder of results that appears whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path

from pasimeta.errors import NotebookError
from pasimeta.evidence.store import load_evidence
from pasimeta.pipeline.execute import CELL_TIMEOUT, Job, execute, outputs, prepare_folder
from pasimeta.pipeline.files import locked, staged_folder, write_text
from pasimeta.pipeline.fingerprint import PACKAGE, Fingerprint, difference, file_hash, files_hash, fingerprint
from pasimeta.pipeline.graph import maker_of, predecessors
from pasimeta.pipeline.manifest import NOTEBOOKS, Notebook, select
from pasimeta.pipeline.progress import Reporter, Silent
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.record import NotebookRecord, RunRecord, environment, read_record
from pasimeta.pipeline.sections import Parameters

JOBS = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run, apart from what.

    Attributes
    ----------
    only : tuple of str
        Names or sections of the notebooks to run; none means all. What the others left in the results is kept.
    results, site : path or None
        Where to; the project's own by default.
    jobs : int
        Notebooks at once.
    force : bool
        Run what hasn't changed, too.
    timeout : float
        Seconds a cell may take.
    """

    only: tuple[str, ...] = ()
    results: Path | None = None
    site: Path | None = None
    jobs: int = JOBS
    force: bool = False
    timeout: float = CELL_TIMEOUT


def run(
    project: Project, parameters: Parameters, settings: Settings | None = None, reporter: Reporter | None = None
) -> None:
    """Execute notebooks, write tables, figures and executed notebooks, and render the site.

    Results and site are replaced when everything has succeeded, and untouched otherwise.

    Raises
    ------
    ParameterError
        If ``only`` names no notebook.
    EvidenceError
        If a data file breaks the evidence model; nothing has run then.
    NotebookError
        If a cell fails, naming notebook, cell and error; what doesn't depend on it has run, too. The notebook up to
        there is kept in ``results/failed``.
    """
    chosen_settings = settings or Settings()
    results = chosen_settings.results or project.results
    site = chosen_settings.site or project.site
    chosen = select(chosen_settings.only)
    told = reporter or Silent()
    with locked(results.parent, lambda: told.say("another run is at work here; waiting for it to end")):
        _Run(project, parameters, chosen_settings, chosen, results, site, told).complete()


@dataclass(slots=True)
class _Run:
    """One run from its plan to its results."""

    project: Project
    parameters: Parameters
    settings: Settings
    chosen: tuple[Notebook, ...]
    results: Path
    site: Path
    reporter: Reporter
    before: RunRecord = field(init=False)
    record: RunRecord = field(init=False)

    def __post_init__(self) -> None:
        self.before = read_record(self.results)
        self.record = RunRecord(self.parameters.model_dump(), environment=environment())

    def complete(self) -> None:
        """Do what has to be done, which may be nothing."""
        if self._nothing_to_do():
            self.reporter.say("nothing has changed")
            return
        load_evidence(self.project.data)
        with staged_folder(self.results) as scratch:
            self._carry_over(scratch)
            self._require_inputs(scratch / "tables")
            self._run_notebooks(scratch)
            write_text(scratch / "parameters.json", self.parameters.model_dump_json(indent=2) + "\n")
            self.record.site = self._site_inputs()
            self.record.write(scratch)
            self._render(scratch)

    def _nothing_to_do(self) -> bool:
        if self.settings.force or not (self.site / "index.html").is_file():
            return False
        if self.before.parameters != self.record.parameters or self.before.environment != self.record.environment:
            return False
        if any(self._reason_to_run(notebook, self.results)[0] for notebook in self.chosen):
            return False
        self.record.notebooks = self.before.notebooks
        return self.before.site == self._site_inputs()

    def _reason_to_run(self, notebook: Notebook, folder: Path) -> tuple[str | None, Fingerprint]:
        """Say why a notebook must run, given the tables in ``folder``; None if it needn't."""
        tables = folder / "tables"
        if any(not (tables / f"{name}.csv").is_file() for name in notebook.reads):
            return "a table it reads isn't there", {}
        if not (self.project.notebooks / f"{notebook.name}.ipynb").is_file():
            return "the notebook is missing", {}
        now = fingerprint(self.project, notebook, self.parameters, tables)
        if self.settings.force:
            return "forced", now
        if notebook.name not in self.before.notebooks:
            return "has no results yet", now
        changed = difference(self.before.notebooks[notebook.name].fingerprint, now)
        if changed is None and self.before.environment != self.record.environment:
            changed = "the environment changed"
        if changed is None and not self.before.intact(notebook.name, self.results):
            changed = "a result of it is missing or was changed"
        return changed, now

    def _carry_over(self, scratch: Path) -> None:
        for notebook in NOTEBOOKS:
            if notebook not in self.chosen and notebook.name in self.before.notebooks:
                self._keep(notebook, scratch)

    def _keep(self, notebook: Notebook, scratch: Path) -> None:
        part = self.before.notebooks[notebook.name]
        for path in part.outputs:
            if (self.results / path).is_file():
                (scratch / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(self.results / path, scratch / path)
        self.record.notebooks[notebook.name] = part

    def _require_inputs(self, tables: Path) -> None:
        made = {table for notebook in self.chosen for table in notebook.writes}
        for notebook in self.chosen:
            for table in notebook.reads:
                if table not in made and not (tables / f"{table}.csv").is_file():
                    raise NotebookError(
                        f"{notebook.name}: needs results/tables/{table}.csv; add --only {maker_of(table).section}, "
                        "or run everything"
                    )

    def _run_notebooks(self, scratch: Path) -> None:
        failures: list[str] = []
        sorter = TopologicalSorter(predecessors(self.chosen))
        sorter.prepare()
        running: dict[Future[float], tuple[Job, Fingerprint]] = {}
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(self.settings.jobs))
            work = Path(stack.enter_context(_folder_beside(scratch)))
            warm = False
            while sorter.is_active():
                for notebook in sorted(sorter.get_ready(), key=NOTEBOOKS.index):
                    reason, now = self._reason_to_run(notebook, scratch)
                    if reason is None:
                        self._keep(notebook, scratch)
                        self.reporter.finished(notebook.name, "unchanged", 0)
                        sorter.done(notebook)
                        continue
                    if not warm:
                        stack.enter_context(_kernels())
                        warm = True
                    job = self._job(notebook, work, scratch / "tables")
                    running[pool.submit(self._execute, job, reason)] = job, now
                if not running:
                    if failures:
                        break
                    continue
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    job, now = running.pop(future)
                    try:
                        self._collect(job, now, scratch, future.result())
                    except NotebookError as error:
                        failures.append(str(error))
                    else:
                        sorter.done(job.notebook)
        if failures:
            left = [n.name for n in self.chosen if n.name not in self.record.notebooks]
            for name in left:
                if not any(failure.startswith(f"{name}:") for failure in failures):
                    self.reporter.finished(name, "not run, for what it reads is missing", 0)
            raise NotebookError("\n".join(failures))

    def _execute(self, job: Job, reason: str) -> float:
        """Execute a notebook in a thread of the pool, and return the seconds it took."""
        name, since = job.notebook.name, time.monotonic()
        self.reporter.started(name, reason, _cells(self.project.notebooks / f"{name}.ipynb"))
        try:
            execute(job)
        except BaseException:
            self.reporter.finished(name, "failed", time.monotonic() - since)
            raise
        seconds = time.monotonic() - since
        self.reporter.finished(name, "done", seconds)
        return seconds

    def _job(self, notebook: Notebook, work: Path, tables: Path) -> Job:
        job = Job(
            self.project,
            notebook,
            self.parameters.of_notebook(notebook.section, notebook.common),
            work / notebook.name,
            self.results / "failed" / f"{notebook.name}.ipynb",
            self.settings.timeout,
            lambda cell: self.reporter.at_cell(notebook.name, cell),
        )
        prepare_folder(job, tables)
        return job

    def _collect(self, job: Job, now: Fingerprint, scratch: Path, seconds: float) -> None:
        made = {}
        for path in outputs(job):
            made[path] = file_hash(job.folder / path)
            (scratch / path).parent.mkdir(parents=True, exist_ok=True)
            (job.folder / path).replace(scratch / path)
        self.record.notebooks[job.notebook.name] = NotebookRecord(now, made, round(seconds, 2))

    def _site_inputs(self) -> dict[str, str]:
        made = {path: h for part in self.record.notebooks.values() for path, h in part.outputs.items()}
        templates = sorted(p for p in (PACKAGE / "pipeline" / "templates").rglob("*") if p.is_file())
        return dict(sorted(made.items())) | {"site": files_hash([PACKAGE / "pipeline" / "site.py", *templates])}

    def _render(self, scratch: Path) -> None:
        from pasimeta.pipeline.site import render_site

        since = time.monotonic()
        with staged_folder(self.site) as pages:
            render_site(scratch, pages)
        self.reporter.finished("site", "done", time.monotonic() - since)


def _cells(notebook: Path) -> int:
    try:
        return len(json.loads(notebook.read_text(encoding="utf-8"))["cells"]) + 1  # and the injected parameters
    except OSError:
        return 0


@contextmanager
def _kernels() -> Iterator[None]:
    from pasimeta.pipeline.kernels import run_kernels

    with run_kernels():
        yield


@contextmanager
def _folder_beside(scratch: Path) -> Iterator[str]:
    # on the same file system, so that results can be moved rather than copied
    with tempfile.TemporaryDirectory(dir=scratch.parent, prefix=f"{scratch.name}-work-") as folder:
        yield folder
