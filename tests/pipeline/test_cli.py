"""The command line says what is wrong in one line, without a traceback, and with the right exit status."""

import os
import subprocess
import sys

import pytest

from pasimeta import __version__


def pasimeta(*arguments, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "pasimeta.cli", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_version_and_help(project):
    assert pasimeta("--version", cwd=project.root).stdout == f"pasimeta {__version__}\n"
    done = pasimeta("--help", cwd=project.root)
    assert done.returncode == 0
    assert "run" in done.stdout


def test_check_counts_the_evidence(project, evidence):
    done = pasimeta("check", cwd=project.root)
    assert done.returncode == 0
    assert f"{len(evidence.studies)} studies" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "-p", "pooling.threshold=x"),
        ("run", "-p", "nonsense"),
        ("run", "--config", "nowhere.yaml"),
        ("run", "--only", "nothing"),
    ],
)
def test_bad_parameters_end_with_one_line_and_status_2(project, tmp_path, arguments):
    done = pasimeta(*arguments, "--out", tmp_path / "results", cwd=project.root)
    assert done.returncode == 2
    assert done.stderr.startswith("pasimeta: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_unknown_option_ends_with_status_2(project):
    assert pasimeta("run", "--frobnicate", cwd=project.root).returncode == 2


def test_outside_a_project_it_says_so(tmp_path):
    done = pasimeta("check", cwd=tmp_path)
    assert done.returncode == 2
    assert "is not inside a pasimeta project" in done.stderr


def test_broken_study_file_stops_the_run_before_any_kernel(copied_project):
    path = copied_project.data / "studies" / "cheng2022.yaml"
    path.write_text(path.read_text().replace("events: 8", "events: 18", 1))
    done = pasimeta("run", cwd=copied_project.root)
    assert done.returncode == 2
    assert f"{path}:" in done.stderr
    assert "18 events exceed the 17 analysed" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (copied_project.root / "results").exists()


def test_notebook_that_needs_an_earlier_one_says_which(copied_project):
    done = pasimeta("run", "--only", "pooling", cwd=copied_project.root)
    assert done.returncode == 2
    assert "needs results/tables/responses.csv; add --only evidence" in done.stderr
