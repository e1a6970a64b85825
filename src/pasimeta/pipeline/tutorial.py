"""What the tutorial notebook stands on: a project of its own to try things in, and commands whose output it shows."""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pasimeta.errors import PasimetaError
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.project import PROJECT_VARIABLE, find_project

_SECONDS = re.compile(r" in \d+\.\d+ s$", re.MULTILINE)  # they differ from run to run


class Sandbox:
    """A copy of the project's configuration, data and notebooks that vanishes with the session.

    Attributes
    ----------
    root : path
        The copy.
    """

    def __init__(self) -> None:
        project = find_project()
        self._folder = tempfile.TemporaryDirectory(prefix="pasimeta-tutorial-")
        self.root = Path(self._folder.name).resolve()
        for folder in (project.config.parent, project.data, project.notebooks):
            shutil.copytree(folder, self.root / folder.name)

    def run(self, command: str, matching: Sequence[str] = ()) -> None:
        """Run a ``pasimeta`` command there, and show it with what it prints; seconds and paths of the machine left out.

        Parameters
        ----------
        command : str
            As typed in a terminal.
        matching : sequence of str
            Of a long output, show only the lines that hold one of these, and those indented under them.

        Raises
        ------
        PasimetaError
            If the command isn't one of pasimeta's.
        """
        program, *arguments = shlex.split(command)
        if program != "pasimeta":
            raise PasimetaError(f"{command}: the tutorial runs pasimeta alone")
        done = subprocess.run(
            [sys.executable, "-m", "pasimeta.cli", *arguments],
            cwd=self.root,
            env={**os.environ, PROJECT_VARIABLE: str(self.root), "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        printed = _SECONDS.sub("", done.stdout.replace(f"{self.root}{os.sep}", "").rstrip())
        _show(f"$ {command}\n{_matching(printed, matching) if matching else printed}", "text")

    def show(self, path: str, first: int = 1, last: int | None = None) -> None:
        """Show a file, or the lines from ``first`` to ``last`` of it, numbered."""
        lines = list(enumerate(self._text(path).splitlines(), 1))[first - 1 : last]
        _show("\n".join(f"{number:3}  {line}" for number, line in lines), "text")

    def edit(self, path: str, changes: Mapping[str, str]) -> None:
        """Replace parts of a file, each of which stands in it once, and show what has changed.

        Raises
        ------
        PasimetaError
            For a part that isn't there, or more than once.
        """
        before = after = self._text(path)
        for old, new in changes.items():
            if after.count(old) != 1:
                raise PasimetaError(
                    f"{path}: {old!r} stands there {after.count(old)} times; name a part that is unique"
                )
            after = after.replace(old, new)
        write_text(self.root / path, after)
        changed = difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, n=0, lineterm="")
        _show("\n".join(line for line in list(changed)[2:] if not line.startswith("@@")), "diff")

    def append(self, path: str, text: str) -> None:
        """Add text to the end of a file, and show it."""
        write_text(self.root / path, f"{self._text(path).rstrip()}\n{text.strip()}\n")
        _show("\n".join(f"+{line}" for line in text.strip().splitlines()), "diff")

    def _text(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")


def _matching(printed: str, parts: Sequence[str]) -> str:
    kept, deepest = [], -1
    for line in printed.splitlines():
        depth = len(line) - len(line.lstrip())
        if any(part in line for part in parts):
            deepest = depth
        elif depth <= deepest:
            deepest = -1
        if deepest >= 0:
            kept.append(line)
    return "\n".join([*kept, "  …"])


def _show(text: str, language: str) -> None:
    from IPython.display import Markdown, display

    display(Markdown(f"```{language}\n{text}\n```"))
