"""The tutorial is committed as it runs."""

import pytest

from pasimeta.errors import PasimetaError
from pasimeta.pipeline.refresh import TUTORIAL, executed_tutorial
from pasimeta.pipeline.tutorial import Sandbox


@pytest.fixture
def sandbox(project, monkeypatch):
    monkeypatch.chdir(project.root)
    return Sandbox()


def test_committed_tutorial_is_what_running_it_shows(project):
    committed = (project.notebooks / TUTORIAL).read_text(encoding="utf-8")
    assert committed == executed_tutorial(project), "make notebooks"
    assert "pooled [50] k: 2 -> 3" in committed


def test_sandbox_leaves_the_project_alone(project, sandbox):
    sandbox.append("data/sources.yaml", "extra: {}")
    assert "extra: {}" in (sandbox.root / "data" / "sources.yaml").read_text(encoding="utf-8")
    assert "extra: {}" not in (project.data / "sources.yaml").read_text(encoding="utf-8")


def test_edit_of_a_part_that_is_not_unique_is_refused(sandbox):
    with pytest.raises(PasimetaError, match=r"stands there \d+ times"):
        sandbox.edit("data/sources.yaml", {"kind:": "sort:"})
    with pytest.raises(PasimetaError, match="stands there 0 times"):
        sandbox.edit("data/sources.yaml", {"no such part": ""})


def test_sandbox_runs_pasimeta_alone(sandbox):
    with pytest.raises(PasimetaError, match="pasimeta alone"):
        sandbox.run("ls")
