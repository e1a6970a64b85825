"""What goes wrong while a run is at work: nothing half-written, nothing left behind, and the next run succeeds."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from tiny_project import CELLS, NUMBERS, incomplete, problems, write_notebook, write_project

from pasimeta.cli import main

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forked kernels and signals are Linux's")

INTERRUPTIONS, SEED = 50, 20261122
PROGRESS = re.compile(r"0\d_\w+(: | +[\d.]+ s)|in all ")
ENDLESS = [NUMBERS, "while True: pass"]


@pytest.fixture(scope="module")
def finished(runs, tmp_path_factory):
    """The project after a run."""
    root = write_project(tmp_path_factory.mktemp("finished"))
    succeeds(runs, root)
    return root


@pytest.fixture
def ran(finished, tmp_path):
    """A copy of it, to be broken."""
    return shutil.copytree(finished, tmp_path / "project")


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    """A function that mounts a file system of so many kB, and returns it; root alone may."""
    mounted = []

    def mount(size):
        folder = tmp_path_factory.mktemp("disk")
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", str(folder)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("only root may mount a small disk; the limit on file sizes is tried all the same")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def succeeds(runs, root):
    """Whether the next run is whole and leaves nothing behind."""
    run = runs.finished(root)
    assert (run.status, problems(root, run, allow_absent=False)) == (0, []), run.said()


def refusal(run):
    """Return the one message of a refused run."""
    said = run.said()
    assert "Traceback" not in said, said
    return [line for line in said.splitlines() if line.startswith("pasimeta: ")]


def test_interrupted_at_any_moment_a_run_leaves_nothing_half_written(runs, tiny):
    began = time.monotonic()
    succeeds(runs, tiny)
    duration, moments, endings = time.monotonic() - began, random.Random(SEED), []
    for _ in range(INTERRUPTIONS):
        run = runs.start(tiny, "--force")
        time.sleep(moments.uniform(0.02, duration))
        os.kill(run.pid, signal.SIGINT)
        endings.append(run.wait())
        assert problems(tiny, run, allow_absent=False) == [], run.said()
        if run.status:
            assert run.status == 130, run.said()
            told = [line for line in run.said().splitlines() if line and not PROGRESS.match(line)]
            assert told == ["pasimeta: interrupted; nothing is half-written"], run.said()
    assert endings.count(130) > INTERRUPTIONS / 4  # on a busy machine the first run, which sets the pace, may be slow
    succeeds(runs, tiny)


def test_interrupted_while_it_imports_the_command_line_says_nothing():
    script = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it
class Interrupting:
    def find_spec(name, path, target=None):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting)
from pasimeta.__main__ import main
main()
"""
    ended = subprocess.run([sys.executable, "-c", script, "--version"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_interruption_that_became_another_error_is_one(monkeypatch, capsys):
    def app():
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("release unlocked lock")  # as threading.Thread.start has it, if it comes at the moment

    monkeypatch.setattr("pasimeta.cli.app", app)
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
    assert ended.value.code == 130
    assert capsys.readouterr().err == "pasimeta: interrupted; nothing is half-written\n"


def test_cancelled_job_ends_like_an_interrupted_one(runs, tmp_path):
    root = write_project(tmp_path, other=["import time; time.sleep(60)"])
    run = runs.start(root)
    run.wait_for("02_other: runs")
    os.kill(run.pid, signal.SIGTERM)
    assert run.wait() == 130
    assert problems(root, run) == []
    assert not (root / "results").exists()


def test_killed_run_leaves_no_process_and_the_next_one_clears_up(runs, ran):
    write_notebook(ran, "03_doubled", ["import time; time.sleep(60)"])
    run = runs.start(ran)
    run.wait_for("03_doubled: runs")
    time.sleep(0.3)
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert run.left_running() == []
    assert incomplete(ran, allow_absent=False) == []
    assert [path for path in ran.iterdir() if path.name.startswith(".results-new-")]  # what the next run clears away
    write_notebook(ran, "03_doubled", CELLS["03_doubled"])
    succeeds(runs, ran)


def test_killed_kernel_is_named_and_what_does_not_need_it_runs(runs, tiny):
    write_notebook(tiny, "01_numbers", [NUMBERS, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
    run = runs.finished(tiny)
    assert run.status == 2
    (message,) = refusal(run)
    assert re.match(r"pasimeta: 01_numbers: cell \d: its kernel died; it was killed", message)
    assert "02_other: done" in run.said()
    assert "03_doubled: not run" in run.said()
    assert run.left_running() == []
    assert not (tiny / "results" / "run.json").exists()
    write_notebook(tiny, "01_numbers", CELLS["01_numbers"])
    succeeds(runs, tiny)


def test_kernel_that_dies_at_its_start_is_named(runs, tiny, tmp_path):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    run = runs.finished(tiny, "--only", "evidence", IPYTHONDIR=str(tmp_path / "ipython"))
    assert run.status == 2
    assert refusal(run)[0].startswith("pasimeta: 01_numbers: its kernel died before the first cell; it was killed")
    assert run.left_running() == []
    succeeds(runs, tiny)


def test_endless_notebook_is_stopped(runs, ran):
    write_notebook(ran, "01_numbers", ENDLESS)
    run = runs.finished(ran, "--timeout", "1")
    assert run.status == 2
    (message,) = refusal(run)
    assert "01_numbers: cell 4: ran longer than 1 s; raise --timeout or mend the cell" in message
    assert run.left_running() == []
    assert incomplete(ran, allow_absent=False) == []
    write_notebook(ran, "01_numbers", CELLS["01_numbers"])
    succeeds(runs, ran)


@pytest.mark.parametrize("size", [48, 96])
def test_full_disk_is_said_and_earlier_results_stay(runs, small_disk, size):
    disk = small_disk(size)
    root = write_project(disk)
    run = runs.finished(root)
    assert run.status == 2
    assert any("No space left on device" in line for line in refusal(run)), run.said()
    assert problems(root, run) == []
    subprocess.run(["mount", "-o", "remount,size=8m", str(disk)], check=True)
    succeeds(runs, root)


def test_disk_that_fills_up_keeps_the_earlier_results(runs, finished, small_disk):
    disk = small_disk(8192)
    root = shutil.copytree(finished, disk, dirs_exist_ok=True)
    (disk / "filler").write_bytes(bytes(7_000_000))
    write_notebook(root, "02_other", [*CELLS["02_other"], "Path('figures/large.png').write_bytes(b'x' * 4_000_000)"])
    run = runs.finished(root)
    assert run.status == 2
    assert "No space left on device" in run.said()
    assert incomplete(root, allow_absent=False) == []
    (disk / "filler").unlink()
    write_notebook(root, "02_other", CELLS["02_other"])
    succeeds(runs, root)


@pytest.mark.parametrize("largest", [1000, 12000])
def test_file_that_may_not_grow_is_said(runs, ran, largest):
    run = runs.finished(ran, "--force", largest_file=largest)
    assert run.status == 2
    assert any("File too large" in line for line in refusal(run)), run.said()
    assert problems(ran, run, allow_absent=False) == []
    succeeds(runs, ran)


def test_read_only_results_are_said(runs, finished, small_disk):
    disk = small_disk(8192)
    root = shutil.copytree(finished, disk, dirs_exist_ok=True)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    run = runs.finished(root, "--force")
    assert run.status == 2
    (message,) = refusal(run)
    assert re.search(rf"{disk}.*: Read-only file system; earlier results are untouched; .*--out", message)
    assert incomplete(root, allow_absent=False) == []
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    succeeds(runs, root)


def test_second_run_in_a_folder_waits_and_says_so(runs, tiny):
    first = runs.start(tiny)
    first.wait_for("01_numbers: runs")
    second = runs.finished(tiny)
    assert (first.wait(), second.status) == (0, 0), first.said() + second.said()
    said = second.said().splitlines()
    assert said[:2] == ["another run is at work here; waiting for it to end", "nothing has changed"]
    assert problems(tiny, second, allow_absent=False) == []
