"""The address of a cluster reaches the notebooks, and no result knows of it."""

import json
import re

import pytest

from pasimeta.pipeline.execute import Job, prepare_folder
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.notebook import workspace

ROBUSTNESS = next(notebook for notebook in NOTEBOOKS if notebook.section == "robustness")


@pytest.mark.parametrize("scheduler", [None, "tcp://127.0.0.1:8786"])
def test_notebook_finds_the_scheduler_of_its_run(project, tmp_path, monkeypatch, scheduler):
    folders = tmp_path / "work", tmp_path / "failed"
    job = Job(project, ROBUSTNESS, {}, *folders, 60, lambda cell: None, scheduler=scheduler)
    (tmp_path / "responses.csv").write_text("study\n")
    prepare_folder(job, tmp_path)
    monkeypatch.chdir(job.folder)
    assert workspace().scheduler == scheduler


def test_multiverse_is_sent_there(project):
    notebook = json.loads((project.notebooks / f"{ROBUSTNESS.name}.ipynb").read_text())
    source = "\n".join("".join(cell["source"]) for cell in notebook["cells"])
    assert re.search(r"robustness\.multiverse\([^)]*scheduler=work\.scheduler", source)
