"""Fixtures shared by all tests: the project itself, its evidence, one run of it, and a copy of it to break."""

import importlib.util
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import settings

from pasimeta.effects import escalc
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


@pytest.fixture(autouse=True)
def signals_as_they_were() -> Iterator[None]:
    """Undo what the command line does to signals at its end, which children would inherit.

    Where tests run in the background Ctrl-C is ignored; the programs they start must hear it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def project() -> Project:
    return Project(ROOT)


@pytest.fixture(scope="session")
def evidence(project: Project) -> Evidence:
    return load_evidence(project.data)


@pytest.fixture(scope="session")
def bcg_counts() -> dict[str, list[int]]:
    """Cases and group sizes of 13 BCG vaccine trials (Colditz GA, et al. JAMA 1994;271:698-702)."""
    return {
        "events1": [4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27],
        "n1": [123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913],
        "events2": [11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29],
        "n2": [139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854],
    }


@pytest.fixture(scope="session")
def bcg(bcg_counts: dict[str, list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Log risk ratios of the same trials."""
    return escalc("RR", **bcg_counts)


@pytest.fixture(scope="session")
def benchmark_study() -> Callable[[str], ModuleType]:
    """Import a measured study of ``benchmarks/`` by its name."""

    def study(name: str) -> ModuleType:
        specification = importlib.util.spec_from_file_location(f"{name}_study", ROOT / "benchmarks" / f"{name}.py")
        module = importlib.util.module_from_spec(specification)
        sys.modules[specification.name] = module  # dataclasses look their module up
        specification.loader.exec_module(module)
        return module

    return study


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
