"""The dashboard's basis, read once, and a server of it in a process of its own."""

import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hostile_names import HOSTILE, LONG

from pasimeta.app.basis import Basis, load_basis
from pasimeta.pipeline.project import PROJECT_VARIABLE, Project

START_SECONDS = 300


@dataclass(frozen=True)
class Served:
    """A running dashboard over a copy of the data in which two studies have names to be afraid of.

    Beside it stands a site that has a page of one study only.
    """

    url: str
    basis: Basis


@pytest.fixture(scope="session")
def basis(project: Project) -> Basis:
    return load_basis(project)


@pytest.fixture(scope="session")
def served(project: Project, tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("served") / "project"
    shutil.copytree(project.config.parent, root / "config")
    shutil.copytree(project.data, root / "data")
    rename(root / "data/studies/yao2021.yaml", "Yao 2021", f'"{HOSTILE}"')
    rename(root / "data/studies/nct03392311.yaml", "NCT03392311", LONG)
    (root / "site").mkdir()
    (root / "site/index.html").write_text("<h1>The whole report</h1>", encoding="utf-8")
    (root / "site/study-cheng2022.html").write_text('<p id="outcomes-1-events">6 to 8</p>', encoding="utf-8")
    (root / "site/way-out.yaml").symlink_to(root / "config/analysis.yaml")
    command = [sys.executable, "-m", "pasimeta.cli", "dashboard", "--port", "0", "--no-open"]
    environment = os.environ | {PROJECT_VARIABLE: str(root)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Served(announced_url(process), load_basis(Project(root)))
    finally:
        process.terminate()
        process.wait(30)


def rename(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert f"\nlabel: {old}\n" in text
    path.write_text(text.replace(f"\nlabel: {old}\n", f"\nlabel: {new}\n"), encoding="utf-8")


def announced_url(process: subprocess.Popen[str]) -> str:
    """Wait for the line that names the URL; whatever else is said is shown if it never comes."""
    lines: list[str] = []

    def read() -> None:
        for line in process.stdout:
            lines.append(line)

    threading.Thread(target=read, daemon=True).start()
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        for line in list(lines):
            if line.startswith("dashboard: "):
                return line.split()[1]
        time.sleep(0.1)
    process.kill()
    pytest.fail(f"the dashboard didn't start: {''.join(lines)}{process.stderr.read()}")
