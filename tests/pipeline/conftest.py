"""A project of a few cells, and runs of it in processes of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny_project import Runs, write_project


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    started = Runs(tmp_path_factory.mktemp("runs"))
    yield started
    started.close()


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project")
