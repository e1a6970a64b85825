"""Fixtures shared by all tests: the project itself, its evidence, one run of it, and a copy of it to break."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from pasimeta.evidence.store import Evidence, load_evidence
from pasimeta.pipeline.files import locked
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.runner import Settings, run
from pasimeta.pipeline.sections import Parameters

ROOT = Path(__file__).resolve().parents[1]

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# a busy machine is no fault of what is tested
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def project() -> Project:
    return Project(ROOT)


@pytest.fixture(scope="session")
def evidence(project: Project) -> Evidence:
    return load_evidence(project.data)


@pytest.fixture(scope="session")
def default_run(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results and site of one run at default parameters, made once for all test processes; not to be changed."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "default-run"
    with locked(shared / "default-run-lock", lambda: None):
        if not (folder / "site" / "index.html").is_file():
            run(project, Parameters(), Settings(results=folder / "results", site=folder / "site"))
    return folder


@pytest.fixture
def copied_project(project: Project, tmp_path: Path) -> Project:
    """A project of its own, to be broken."""
    root = tmp_path / "project"
    for folder in ("config", "data", "notebooks"):
        shutil.copytree(getattr(project, folder) if folder != "config" else project.config.parent, root / folder)
    return Project(root)


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium, driven by Playwright; ended with the module, for its loop would be in other tests' way."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
