"""Run the notebooks that need it, side by side, into a folder of results that appears whole or not at all."""

from __future__ import annotations

import json
import shutil
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from pasimeta.errors import NotebookError, PasimetaError
from pasimeta.pipeline.ahead import SiteAhead
from pasimeta.pipeline.configuration import Configuration, Values, values_of
from pasimeta.pipeline.execute import CELL_TIMEOUT, Job, execute, import_papermill, outputs, prepare_folder
from pasimeta.pipeline.files import locked, recover, staged_folders, work_folder, write_text
from pasimeta.pipeline.fingerprint import Fingerprint, environment, file_hash
from pasimeta.pipeline.graph import maker_of, most_urgent_first, predecessors
from pasimeta.pipeline.manifest import NOTEBOOKS, Notebook, select
from pasimeta.pipeline.plan import Earlier, Plan, earlier_runs, site_inputs
from pasimeta.pipeline.progress import Reporter, Silent
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.record import CRATE, NotebookRecord, RunRecord
from pasimeta.pipeline.warm import WarmParent, warm_parent

if TYPE_CHECKING:
    from pasimeta.pipeline.sections import Parameters

JOBS = 2

NotebookTime = tuple[str, float]


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
    earlier : tuple of path
        Folders of results to take what hasn't changed from, before those in ``results``.
    render : bool
        Whether to render the site.
    scheduler : str or None
        Address of a Dask scheduler whose workers compute the heavy grids, with the same digits.
    """

    only: tuple[str, ...] = ()
    results: Path | None = None
    site: Path | None = None
    jobs: int = JOBS
    force: bool = False
    timeout: float = CELL_TIMEOUT
    earlier: tuple[Path, ...] = ()
    render: bool = True
    scheduler: str | None = None


def run(
    project: Project,
    parameters: Parameters | Configuration,
    settings: Settings | None = None,
    reporter: Reporter | None = None,
    kept: WarmParent | None = None,
) -> None:
    """Execute notebooks, write tables, figures and executed notebooks, and render the site.

    Results and site are replaced when everything has succeeded, and untouched otherwise.

    Parameters
    ----------
    project : Project
    parameters : Parameters or Configuration
    settings : Settings, optional
    reporter : Reporter, optional
        Who is told what happens.
    kept : WarmParent, optional
        One to fork kernels from that its owner keeps for the next run; it is ended only if this run is interrupted.
        Without it the run starts its own.

    Raises
    ------
    ParameterError
        If ``only`` names no notebook, or a parameter of a configuration isn't allowed.
    EvidenceError
        If a data file breaks the evidence model; nothing has run then.
    NotebookError
        If a cell fails, naming notebook, cell and error; what doesn't depend on it has run, too. The notebook up to
        there is kept in ``results/failed``.
    PasimetaError
        If results can't be written, or an earlier folder holds none.
    """
    chosen_settings = settings or Settings()
    results = chosen_settings.results or project.results
    site = chosen_settings.site or project.site
    chosen = select(chosen_settings.only)
    told = reporter or Silent()
    try:
        with locked(results.parent, lambda: told.say("another run is at work here; waiting for it to end")):
            for target in (results, site):
                if target.parent == results.parent:  # the folder that is locked
                    recover(target)
            _Run(project, parameters, chosen_settings, chosen, results, site, told, kept).complete()
    except OSError as error:
        where = error.filename2 or error.filename or results
        remedy = "earlier results are untouched; make room or get the rights, or name another folder with --out"
        raise PasimetaError(f"{where}: can't be written: {error.strerror or error}; {remedy}") from error


@dataclass(slots=True)
class _Run:
    """One run from its plan to its results."""

    project: Project
    parameters: Parameters | Configuration
    settings: Settings
    chosen: tuple[Notebook, ...]
    results: Path
    site: Path
    reporter: Reporter
    kept: WarmParent | None
    before: Earlier = field(init=False)
    plan: Plan = field(init=False)
    record: RunRecord = field(init=False)
    stop: threading.Event = field(default_factory=threading.Event)

    def complete(self) -> None:
        """Do what has to be done, which may be nothing."""
        since = time.monotonic()
        self.before = earlier_runs(self.results, self.settings.earlier)
        with ExitStack() as stack:
            asked = self.parameters.digest() if isinstance(self.parameters, Configuration) else ""
            parent = None
            if asked and asked == self.before.record.asked:
                values = self.before.record.parameters
            else:
                parent = self._parent(stack)  # imports while parameters and data are read
                values = _values(self.parameters)
            self.plan = Plan(self.project, values, self.before, self.settings.force)
            self.record = RunRecord(values, environment=environment(), started=_now(), asked=asked)
            if self._nothing_to_do():
                self.reporter.say("nothing has changed")
                return
            self._make(parent or self._parent(stack), since)

    def _parent(self, stack: ExitStack) -> WarmParent | None:
        return self.kept or stack.enter_context(warm_parent(self.project))

    def _make(self, parent: WarmParent | None, since: float) -> None:
        from pasimeta.evidence.store import load_evidence

        load_evidence(self.project.data)
        targets = (self.results, self.site) if self.settings.render else (self.results,)
        with staged_folders(*targets) as (scratch, *pages):
            self._carry_over(scratch)
            self._require_inputs(scratch / "tables")
            self._run_notebooks(scratch, parent)
            write_text(scratch / "parameters.json", json.dumps(self.record.parameters, indent=2) + "\n")
            self.record.site = self._site_inputs()
            self.record.seconds = round(time.monotonic() - since, 2)
            self.record.write(scratch)
            self._describe(scratch)
            if pages:
                self._render(scratch, pages[0])

    def _nothing_to_do(self) -> bool:
        before = self.before.record
        if self.settings.force or (self.settings.render and not (self.site / "index.html").is_file()):
            return False
        if not (self.results / CRATE).is_file():
            return False
        if before.parameters != self.record.parameters or before.environment != self.record.environment:
            return False
        if any(self.plan.reason_to_run(notebook, self.results)[0] for notebook in self.chosen):
            return False
        self.record.notebooks = before.notebooks
        return before.site == self._site_inputs()

    def _carry_over(self, scratch: Path) -> None:
        for notebook in NOTEBOOKS:
            if notebook not in self.chosen and notebook.name in self.before.homes:
                self._keep(notebook, scratch)

    def _keep(self, notebook: Notebook, scratch: Path) -> None:
        part, home = self.before.record.notebooks[notebook.name], self.before.homes[notebook.name]
        for path in part.outputs:
            if (home / path).is_file():
                (scratch / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(home / path, scratch / path)
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

    def _run_notebooks(self, scratch: Path, parent: WarmParent | None) -> None:
        failures: list[str] = []
        ahead: SiteAhead | None = None
        sorter = TopologicalSorter(predecessors(self.chosen))
        sorter.prepare()
        running: dict[Future[NotebookTime], tuple[Job, Fingerprint]] = {}
        # Ctrl-C while this waits ends it cleanly, which a wait on the futures' own conditions now and then doesn't
        ended: SimpleQueue[Future[NotebookTime]] = SimpleQueue()
        with ExitStack() as stack:
            # on the same file system, so that results can be moved rather than copied
            work = stack.enter_context(work_folder(scratch.parent, f"{scratch.name}-work-"))
            pool: ThreadPoolExecutor | None = None
            waiting: list[Notebook] = []
            while sorter.is_active():
                waiting = most_urgent_first([*waiting, *sorter.get_ready()])
                if waiting and len(running) < self.settings.jobs:
                    notebook = waiting.pop(0)
                    reason, now = self.plan.reason_to_run(notebook, scratch)
                    if reason is None:
                        self._keep(notebook, scratch)
                        self.reporter.finished(notebook.name, "unchanged", 0)
                        sorter.done(notebook)
                        continue
                    if pool is None:
                        pool = self._pool(stack, parent)
                        ahead = SiteAhead(self.project, scratch, self.site) if self.settings.render else None
                    job = self._job(notebook, work, scratch / "tables")
                    future = pool.submit(self._execute, job, reason)
                    running[future] = job, now
                    future.add_done_callback(ended.put)
                    continue
                if not running:
                    break  # what is left waits for a notebook that failed
                future = ended.get()
                job, now = running.pop(future)
                try:
                    self._collect(job, now, scratch, future.result())
                except NotebookError as error:
                    failures.append(str(error))
                else:
                    sorter.done(job.notebook)
                    if ahead is not None:
                        ahead.write(job.notebook)
        if ahead is not None:
            ahead.finish()
        if failures:
            self._tell_what_did_not_run(failures)
            raise NotebookError("\n".join(failures))

    def _pool(self, stack: ExitStack, parent: WarmParent | None) -> ThreadPoolExecutor:
        """Return threads that execute notebooks, on kernels that end with the stack."""
        from pasimeta.pipeline.kernels import run_kernels

        import_papermill()  # while the warm parent imports, and before threads would do so at once
        pool = stack.enter_context(ThreadPoolExecutor(self.settings.jobs))
        stack.enter_context(run_kernels(parent))
        if parent is not None:
            stack.push(partial(self._close, parent))
        # before the kernels go, so that an interrupted run starts no more of them
        stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        stack.callback(self.stop.set)
        return pool

    def _close(self, parent: WarmParent, interruption: type[BaseException] | None, *_: object) -> None:
        """End a warm parent with its kernels: no thread may wait for a cell that goes on. One that is kept has none."""
        if interruption or parent is not self.kept:
            parent.close()

    def _tell_what_did_not_run(self, failures: list[str]) -> None:
        failed = {failure.split(":")[0] for failure in failures}
        for notebook in self.chosen:
            if notebook.name not in self.record.notebooks and notebook.name not in failed:
                self.reporter.finished(notebook.name, "not run, for what it reads is missing", 0)

    def _execute(self, job: Job, reason: str) -> NotebookTime:
        """Execute a notebook in a thread of the pool, and return when it started and the seconds it took."""
        name, started, since = job.notebook.name, _now(), time.monotonic()
        self.reporter.started(name, reason, _cells(self.project.notebooks / f"{name}.ipynb"))
        try:
            execute(job)
        except BaseException:
            self.reporter.finished(name, "stopped" if self.stop.is_set() else "failed", time.monotonic() - since)
            raise
        seconds = time.monotonic() - since
        self.reporter.finished(name, "done", seconds)
        return started, round(seconds, 2)

    def _job(self, notebook: Notebook, work: Path, tables: Path) -> Job:
        job = Job(
            self.project,
            notebook,
            values_of(notebook, self.record.parameters),
            work / notebook.name,
            self.results / "failed" / f"{notebook.name}.ipynb",
            self.settings.timeout,
            lambda cell: self.reporter.at_cell(notebook.name, cell),
            self.stop,
            self.settings.scheduler,
        )
        prepare_folder(job, tables)
        return job

    def _collect(self, job: Job, now: Fingerprint, scratch: Path, taken: NotebookTime) -> None:
        made = {}
        for path in outputs(job):
            made[path] = file_hash(job.folder / path)
            (scratch / path).parent.mkdir(parents=True, exist_ok=True)
            (job.folder / path).replace(scratch / path)
        self.record.notebooks[job.notebook.name] = NotebookRecord(now, made, *taken)

    def _site_inputs(self) -> dict[str, str]:
        return site_inputs(self.project, self.record) if self.settings.render else {}

    def _describe(self, scratch: Path) -> None:
        from pasimeta.pipeline.crate import write_crate

        write_crate(self.project, self.record, scratch)

    def _render(self, scratch: Path, pages: Path) -> None:
        from pasimeta.site.build import render_site

        since = time.monotonic()
        render_site(scratch, pages, self.project, self.site)
        self.reporter.finished("site", "done", time.monotonic() - since)


def _cells(notebook: Path) -> int:
    try:
        return len(json.loads(notebook.read_text(encoding="utf-8"))["cells"]) + 1  # and the injected parameters
    except OSError:
        return 0


def _values(parameters: Parameters | Configuration) -> Values:
    return parameters.values() if isinstance(parameters, Configuration) else parameters.model_dump()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
