"""Fixtures shared by all tests: the project itself, its evidence, and a copy of it to break."""

import shutil
from pathlib import Path

import pytest

from pasimeta.evidence.store import Evidence, load_evidence
from pasimeta.pipeline.project import Project

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def project() -> Project:
    return Project(ROOT)


@pytest.fixture(scope="session")
def evidence(project: Project) -> Evidence:
    return load_evidence(project.data)


@pytest.fixture
def copied_project(project: Project, tmp_path: Path) -> Project:
    """A project of its own, to be broken."""
    root = tmp_path / "project"
    for folder in ("config", "data", "notebooks"):
        shutil.copytree(getattr(project, folder) if folder != "config" else project.config.parent, root / folder)
    return Project(root)
