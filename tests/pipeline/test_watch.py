"""A run that stays: each saved change gives new results, a refused one leaves the old, and Ctrl-C ends all of it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tiny_project import NUMBERS, incomplete, problems, write_notebook

from pasimeta.pipeline.record import read_record

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forked kernels and signals are Linux's")

PATIENCE = 120  # seconds
READY = "watching "


@pytest.fixture
def watching(runs, tiny):
    """A run that stays, up to date."""
    run = runs.start(tiny, "--watch")
    run.wait_for(READY)
    yield run
    if run.status is None:
        os.kill(run.pid, signal.SIGKILL)
        run.wait()


def wait_for(said, words, count):
    end = time.monotonic() + PATIENCE
    while said().count(words) < count:
        assert time.monotonic() < end, f"never said {words!r} {count} times: {said()}"
        time.sleep(0.02)


def save(root, text, run):
    """Save a configuration, and return what is said until the run watches again."""
    before = run.said()
    (root / "config" / "analysis.yaml").write_text(text)
    wait_for(run.said, READY, before.count(READY) + 1)
    return run.said().removeprefix(before)


def interrupted(run):
    os.kill(run.pid, signal.SIGINT)
    assert run.wait() == 130, run.said()
    said = run.said()
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "pasimeta: interrupted; nothing is half-written"


def test_changed_parameter_reruns_its_notebook_alone(tiny, watching):
    said = save(tiny, "pooling:\n  threshold: 75\n", watching)
    assert "changed: config/analysis.yaml" in said
    assert re.findall(r"^(\w+): runs", said, re.MULTILINE) == ["02_other"]
    assert "pooling.threshold: 50 -> 75" in said
    assert read_record(tiny / "results").parameters["pooling"]["threshold"] == 75
    interrupted(watching)
    assert problems(tiny, watching, allow_absent=False) == []


def test_refused_configuration_leaves_the_results_and_it_goes_on(tiny, watching):
    record = (tiny / "results" / "run.json").read_bytes()
    said = save(tiny, "pooling:\n  threshold: many\n", watching)
    (refusal, *rest) = [line for line in said.splitlines() if line.startswith("pasimeta: ")]
    assert "pooling.threshold: input should be a valid integer, got 'many'" in refusal
    assert rest == ["pasimeta: results and site are as they were"]
    assert (tiny / "results" / "run.json").read_bytes() == record
    assert "02_other: done" in save(tiny, "pooling:\n  threshold: 90\n", watching)
    interrupted(watching)


def test_broken_notebook_is_said_and_mended_while_it_watches(tiny, watching):
    before = watching.said().count(READY)
    write_notebook(tiny, "01_numbers", ["1 / 0"])
    wait_for(watching.said, READY, before + 1)
    assert "pasimeta: 01_numbers: cell 3: ZeroDivisionError" in watching.said()
    assert incomplete(tiny, allow_absent=False) == []
    write_notebook(tiny, "01_numbers", [NUMBERS, "# mended"])
    wait_for(watching.said, READY, before + 2)
    assert incomplete(tiny, allow_absent=False) == []
    assert "# mended" in (tiny / "results" / "notebooks" / "01_numbers.ipynb").read_text()
    interrupted(watching)
    assert problems(tiny, watching, allow_absent=False) == []


def test_many_changes_leave_nothing_open(tiny, watching):
    def held():
        process = psutil.Process(watching.pid)
        return process.num_fds(), len(process.children(recursive=True)), len(list(watching.temporary.rglob("*")))

    save(tiny, "pooling:\n  threshold: 75\n", watching)
    before = held()
    for threshold in (50, 90, 75, 50):
        save(tiny, f"pooling:\n  threshold: {threshold}\n", watching)
    assert held() == before
    interrupted(watching)


def test_lost_warm_parent_is_replaced(tiny, watching):
    (parent,) = psutil.Process(watching.pid).children()
    parent.kill()
    assert "02_other: done" in save(tiny, "pooling:\n  threshold: 75\n", watching)
    interrupted(watching)
    assert problems(tiny, watching, allow_absent=False) == []


def test_interrupted_amid_a_change_it_leaves_the_last_results(tiny, watching):
    record = (tiny / "results" / "run.json").read_bytes()
    write_notebook(tiny, "03_doubled", ["import time; time.sleep(60)"])
    watching.wait_for("03_doubled: runs, the notebook's cells changed")
    interrupted(watching)
    assert (tiny / "results" / "run.json").read_bytes() == record
    assert problems(tiny, watching, allow_absent=False) == []


def test_parameters_that_no_edit_can_mend_end_it_at_once(runs, tiny):
    run = runs.finished(tiny, "--watch", "-p", "pooling.threshold=many")
    assert run.status == 2
    assert READY not in run.said()
    assert run.left_running() == []


class Process:
    """The command line in a process of its own."""

    def __init__(self, folder, *arguments, **environment):
        self.output = folder / "said.txt"
        command = [sys.executable, "-m", "pasimeta.cli", "run", "--watch", *arguments]
        with self.output.open("w") as stream:
            self.process = subprocess.Popen(
                command, stdout=stream, stderr=subprocess.STDOUT, cwd=folder, env=os.environ | environment
            )
        self.members = []

    def said(self):
        return self.output.read_text()

    def interrupt(self):
        self.members = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def orphans(self):
        return psutil.wait_procs(self.members, timeout=10)[1]


@pytest.fixture
def started():
    """A function that starts one, which ends with the test."""
    begun = []

    def start(folder, *arguments, **environment):
        begun.append(Process(folder, *arguments, **environment))
        wait_for(begun[-1].said, READY, 1)
        return begun[-1]

    yield start
    for each in begun:
        each.process.kill()
        each.process.wait()


def test_saved_threshold_reaches_the_page(project, default_run, tmp_path, started):
    for folder in ("results", "site"):
        shutil.copytree(default_run / folder, tmp_path / folder)
    configuration = tmp_path / "analysis.yaml"
    text = project.config.read_text()
    configuration.write_text(text)
    pooling = text.index("\npooling:")
    changed = text[:pooling] + text[pooling:].replace("threshold: 50", "threshold: 75", 1)
    options = (f"--config={configuration}", f"--out={tmp_path / 'results'}")
    run = started(tmp_path, *options, PASIMETA_PROJECT=str(project.root))
    first = (tmp_path / "site" / "04_pooling.html").read_text()
    configuration.write_text(changed)
    wait_for(run.said, READY, 2)
    page = (tmp_path / "site" / "04_pooling.html").read_text()
    assert page != first
    assert re.search(r"threshold</span> .*?75", page)
    configuration.write_text("pooling: [")
    wait_for(run.said, READY, 3)
    assert "pasimeta: results and site are as they were" in run.said()
    assert (tmp_path / "site" / "04_pooling.html").read_text() == page
    configuration.write_text(text)
    wait_for(run.said, READY, 4)
    assert (tmp_path / "site" / "04_pooling.html").read_text() == first  # though other pages were kept, not written
    assert run.interrupt() == 130
    assert run.orphans() == []


def test_changed_code_starts_the_run_afresh(project, tmp_path, started):
    import pasimeta

    package = shutil.copytree(
        Path(pasimeta.__file__).parent, tmp_path / "src" / "pasimeta", ignore=shutil.ignore_patterns("__pycache__")
    )
    for folder in ("config", "data", "notebooks"):
        shutil.copytree(project.root / folder, tmp_path / folder)
    run = started(tmp_path, "--no-site", "--only=extraction", PYTHONPATH=str(tmp_path / "src"))
    (parent,) = psutil.Process(run.process.pid).children()
    reader = package / "evidence" / "readers" / "__init__.py"
    text = reader.read_text()
    reader.write_text(text + "\n)\n")
    wait_for(run.said, READY, 2)
    assert re.search(r"__init__\.py:\d+: unmatched '\)'", run.said())
    assert parent.is_running()
    reader.write_text(text + "\n# changed\n")
    wait_for(run.said, READY, 3)
    assert "the code has changed: starting afresh" in run.said()
    assert re.search(r"02_extraction: runs, code changed: pasimeta\.evidence\.readers\n", run.said())
    assert not parent.is_running()
    assert run.interrupt() == 130
    assert run.orphans() == []
