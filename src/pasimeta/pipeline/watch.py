"""Stay after a run, and run again after each saved change: with everything imported, a change costs its cells.

What results and pages follow from is looked at a few times a second: configuration, data, notebooks, what the pages
show beside them, and the package itself. A change of the package ends this process's claim to know its code, so that it
takes its own place afresh.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from pasimeta.errors import ParameterError, PasimetaError
from pasimeta.pipeline.compare import compare_runs, what_follows
from pasimeta.pipeline.configuration import Configuration
from pasimeta.pipeline.execute import import_papermill
from pasimeta.pipeline.fingerprint import PACKAGE, package_hash
from pasimeta.pipeline.plan import shown_files, site_code_hash
from pasimeta.pipeline.progress import Reporter
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.record import FILE
from pasimeta.pipeline.runner import Settings, run
from pasimeta.pipeline.warm import WarmParent, forking_is_possible

LOOK_EVERY = 0.05  # seconds
_LOOKS_A_LOOK_AT_CODE = 20  # it has the most files, and changes least
_SETTLED_AFTER = 0.05  # seconds without a further change: an editor may write a file in several steps
_NAMED = 3  # changed files said by name

Stamp = tuple[int, int, int]
Stamps = dict[Path, Stamp]


@dataclass(slots=True)
class Watch:
    """A run that stays.

    Attributes
    ----------
    project : Project
    asked : Configuration
        Whose file is watched.
    settings : Settings
    reporter : callable
        Makes the reporter of each run, a context manager.
    say, refuse : callable
        Told what happened, and what was refused; a message may have several lines.
    """

    project: Project
    asked: Configuration
    settings: Settings
    reporter: Callable[[], AbstractContextManager[Reporter]]
    say: Callable[[str], None]
    refuse: Callable[[str], None]
    _parent: WarmParent | None = field(default=None, init=False)

    def forever(self) -> NoReturn:
        """Run, and run again after each saved change, until interrupted.

        Raises
        ------
        ParameterError
            If the first run refuses its parameters: what the command line says, no edit can mend.
        KeyboardInterrupt
            When it is interrupted; the last whole results stay.
        """
        # what a record says of code is never newer than the code: it is hashed before anything more of it is imported
        package_hash(), site_code_hash()
        seen = self._stamps() | self._code_stamps()
        try:
            self._run(first=True)
            self._prepare()
            while True:
                gc.collect()  # event loops of kernels hold sockets until then
                self.say(f"watching {self.asked.path}, data, notebooks and code; Ctrl-C ends it")
                seen, changed = self._next_change(seen)
                self.say(f"changed: {_listed(changed, self.project.root)}")
                if any(path.is_relative_to(PACKAGE) for path in changed):
                    self._take_over_afresh(changed)
                else:
                    self._run()
        finally:
            self._close()

    def _run(self, first: bool = False) -> None:
        results = self.settings.results or self.project.results
        since = time.monotonic()
        try:
            with _copied(results) as before:
                with self.reporter() as told:
                    run(self.project, self.asked, self.settings, told, self._warm_parent())
                if (record := before / FILE).is_file() and record.read_bytes() != (results / FILE).read_bytes():
                    self.say(what_follows(compare_runs(before, results)))
        except PasimetaError as error:
            if first and isinstance(error, ParameterError):
                raise
            self.refuse(f"{error}\nresults and site are as they were")
        else:
            self.say(f"up to date after {time.monotonic() - since:.1f} s")

    def _prepare(self) -> None:
        """Import and work out what the first change would otherwise have to wait for."""
        import_papermill()
        if self.settings.render:
            from pasimeta.site.build import rehearse_site

            results, site = self.settings.results or self.project.results, self.settings.site or self.project.site
            rehearse_site(self.project, results, site)

    def _warm_parent(self) -> WarmParent | None:
        """Return the warm parent, started anew if it has ended; None where forking isn't possible."""
        if not forking_is_possible():
            return None
        if self._parent is None or not self._parent.is_alive():
            self._close()
            self._parent = WarmParent(self.project)
        return self._parent

    def _close(self) -> None:
        if self._parent is not None:
            self._parent.close()

    def _stamps(self) -> Stamps:
        project = self.project
        single = [self.asked.path, *project.notebooks.glob("*.ipynb"), *shown_files(project)]
        found = {path: stamp for path in single if (stamp := _stamp(path))}
        return found | dict(_stamps_below(project.data))

    def _code_stamps(self) -> Stamps:
        return dict(_stamps_below(PACKAGE))

    def _next_change(self, seen: Stamps) -> tuple[Stamps, list[Path]]:
        """Wait for a change of what was seen, until all of it is saved; return what is there now, and what differs."""
        looks, code = 0, {path: stamp for path, stamp in seen.items() if path.is_relative_to(PACKAGE)}
        while (now := self._stamps() | code) == seen:
            time.sleep(LOOK_EVERY)
            looks += 1
            code = self._code_stamps() if looks % _LOOKS_A_LOOK_AT_CODE == 0 else code
        before = seen
        while now != before:
            time.sleep(_SETTLED_AFTER)
            before, now = now, self._stamps() | self._code_stamps()
        changed = sorted(path for path in now.keys() | seen.keys() if now.get(path) != seen.get(path))
        return now, changed

    def _take_over_afresh(self, changed: list[Path]) -> None:
        """Replace this process by a new one that has imported the changed code; stay if the code isn't Python."""
        for path in changed:
            if path.suffix == ".py" and path.is_file():
                try:
                    compile(path.read_bytes(), str(path), "exec")
                except SyntaxError as error:
                    self.refuse(f"{path}:{error.lineno}: {error.msg}; results and site are as they were")
                    return
        self.say("the code has changed: starting afresh")
        self._close()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        if hasattr(signal, "pthread_sigmask"):  # Ctrl-C waits until the new process can answer it in one line
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        os.execv(sys.executable, [sys.executable, "-m", "pasimeta.cli", *sys.argv[1:]])


@contextmanager
def _copied(results: Path) -> Iterator[Path]:
    """Offer a copy of what a comparison reads of the results, which the next run replaces; it may be empty."""
    with tempfile.TemporaryDirectory(prefix="pasimeta-before-") as name:
        folder = Path(name)
        if (results / FILE).is_file():
            shutil.copyfile(results / FILE, folder / FILE)
            shutil.copytree(results / "tables", folder / "tables")
        yield folder


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _stamps_below(folder: Path | str) -> Iterator[tuple[Path, Stamp]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__pycache__":  # an editor's own files
                continue
            if entry.is_dir():
                yield from _stamps_below(entry.path)
            elif not entry.name.endswith("~") and (stamp := _stamp(Path(entry.path))):
                yield Path(entry.path), stamp


def _listed(paths: list[Path], root: Path) -> str:
    names = [str(path.relative_to(root) if path.is_relative_to(root) else path) for path in paths]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
