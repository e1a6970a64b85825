"""Forked kernels are ordinary kernels: isolated, mortal, and gone when the run is."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty

import nbformat
import psutil
import pytest

from pasimeta.errors import NotebookError
from pasimeta.pipeline.clients import PromptKernelManager
from pasimeta.pipeline.execute import Job, execute, prepare_folder
from pasimeta.pipeline.kernels import run_kernels
from pasimeta.pipeline.manifest import Notebook
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.warm import forking_is_possible

pytestmark = pytest.mark.skipif(not forking_is_possible(), reason="kernels are forked on Linux alone")


def job(folder, *cells, name="tiny", timeout=60):
    """A job of its own making, in a project that has nothing else."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (folder / "notebooks").mkdir(exist_ok=True)
    nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
    made = Job(
        Project(folder),
        Notebook(name, "common", name, (), (), ()),
        {},
        folder / "work" / name,
        folder / "failed" / f"{name}.ipynb",
        timeout,
        lambda cell: None,
    )
    prepare_folder(made, folder)
    return made


def printed(made):
    execute(made)
    executed = nbformat.read(made.folder / "notebooks" / f"{made.notebook.name}.ipynb", as_version=4)
    return "".join(output.text for cell in executed.cells for output in cell.outputs if "text" in output)


def gone(pid):
    """Whether a process ends within half a minute."""
    for _ in range(600):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(scope="module")
def warm():
    before = {p.pid for p in psutil.Process().children(recursive=True)}
    with run_kernels():
        yield
    left = [p for p in psutil.Process().children(recursive=True) if p.pid not in before]
    assert left == []


WHOAMI = "import os, json, sys, tempfile, numpy\n"


@pytest.mark.usefixtures("warm")
class TestOneKernel:
    def test_it_has_its_own_group_folder_and_temporary_folder(self, tmp_path):
        made = job(
            tmp_path,
            WHOAMI + "print(json.dumps([os.getpid(), os.getpgrp(), os.getcwd(), tempfile.gettempdir(), os.getppid()]))",
        )
        pid, group, cwd, temporary, parent = json.loads(printed(made))
        assert pid == group
        assert Path(cwd) == made.folder
        assert gone(pid)
        assert not Path(temporary).exists()
        assert psutil.Process(parent).cmdline()[-2] == "pasimeta.pipeline.forkserver"

    def test_nothing_passes_from_one_notebook_to_the_next(self, tmp_path):
        dirty = "import builtins, sys, pandas, os; builtins.left = 1; sys.modules['left'] = 1; os.environ['LEFT'] = '1'"
        printed(job(tmp_path, dirty + "; pandas.left = 1", name="first"))
        clean = "import builtins, sys, pandas, os; print([hasattr(builtins, 'left'), 'left' in sys.modules, "
        assert (
            printed(job(tmp_path, clean + "hasattr(pandas, 'left'), 'LEFT' in os.environ])", name="second")).strip()
            == "[False, False, False, False]"
        )

    def test_random_numbers_differ_between_kernels(self, tmp_path):
        source = "import numpy, random; print(numpy.random.random(), random.random())"
        assert printed(job(tmp_path, source, name="first")) != printed(job(tmp_path, source, name="second"))

    def test_what_it_starts_ends_with_it(self, tmp_path):
        made = job(tmp_path, "import subprocess; print(subprocess.Popen(['sleep', '300']).pid)")
        assert gone(int(printed(made)))

    def test_killed_kernel_is_reported_with_its_cell(self, tmp_path):
        made = job(tmp_path, "1", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        with pytest.raises(NotebookError, match="tiny: cell 2: its kernel died"):
            execute(made)

    def test_endless_cell_is_stopped(self, tmp_path):
        made = job(tmp_path, "import os; print(os.getpid(), flush=True)", "while True: pass", timeout=2)
        with pytest.raises(NotebookError, match="cell 2: ran longer than 2 s; raise --timeout"):
            execute(made)

    def test_failing_cell_keeps_the_notebook(self, tmp_path):
        made = job(tmp_path, "print('before')", "1 / 0")
        with pytest.raises(
            NotebookError, match="cell 2: ZeroDivisionError: division by zero; the notebook up to"
        ) as no:
            execute(made)
        assert str(no.value).endswith("\n    1 / 0")
        assert "before" in made.kept.read_text()

    def test_own_process_gives_the_same_output(self, tmp_path, monkeypatch):
        source = "from pasimeta.effects import proportion_ci; print(proportion_ci([8], [17], 'clopper_pearson'))"
        forked = printed(job(tmp_path, source, name="forked"))
        monkeypatch.setattr("pasimeta.pipeline.kernels._warm_parent", None)
        assert printed(job(tmp_path, source, name="spawned")) == forked


class TestPromptClient:
    @staticmethod
    async def talk(then):
        manager = PromptKernelManager(kernel_name="python3")
        await manager.start_kernel()
        client = manager.client()
        client.start_channels()
        try:
            return await then(manager, client)
        finally:
            client.stop_channels()
            await manager.shutdown_kernel(now=True)

    def test_ready_kernel_has_nothing_left_to_say(self):
        async def then(manager, client):
            await client.wait_for_ready(timeout=60)
            with pytest.raises(Empty):
                await client.get_iopub_msg(timeout=0.5)
            asked = client.execute("6 * 7")
            reply = await client.get_shell_msg(timeout=60)
            return reply["parent_header"]["msg_id"] == asked and reply["content"]["status"]

        with run_kernels():
            assert asyncio.run(self.talk(then)) == "ok"

    def test_dead_kernel_is_not_waited_for(self):
        async def then(manager, client):
            await manager.provisioner.kill()
            await client.wait_for_ready(timeout=60)

        with run_kernels(), pytest.raises(RuntimeError, match="Kernel died before"):
            asyncio.run(self.talk(then))

    def test_kernel_that_never_answers_is_given_up(self):
        async def then(manager, client):
            manager.provisioner.process.send_signal(signal.SIGSTOP)
            await client.wait_for_ready(timeout=0.5)

        with run_kernels(), pytest.raises(RuntimeError, match=r"didn't respond in 0\.5 seconds"):
            asyncio.run(self.talk(then))


def test_kernel_that_comes_too_late_is_not_started(tmp_path):
    with run_kernels():
        manager = PromptKernelManager(kernel_name="python3")
        asyncio.run(manager.pre_start_kernel())
    before = psutil.Process().children(recursive=True)
    with pytest.raises(NotebookError, match="its run has ended"):
        asyncio.run(manager.provisioner.launch_kernel([sys.executable, "-m", "ipykernel_launcher"]))
    assert psutil.Process().children(recursive=True) == before


def test_spawn_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("PASIMETA_KERNEL", "spawn")
    assert not forking_is_possible()


OWNER = """
import signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may have it ignored
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_kernels import job
from pasimeta.pipeline.execute import execute
from pasimeta.pipeline.kernels import run_kernels
note = "import os; open('pid', 'w').write(str(os.getpid()))"
made = job(Path({folder!r}), note, "import time; time.sleep(300)")
with run_kernels():
    execute(made)
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_kernel_outlives_its_owner(tmp_path, ending):
    script = tmp_path / "owner.py"
    script.write_text(OWNER.format(tests=str(Path(__file__).parent), folder=str(tmp_path)))
    owner = subprocess.Popen([sys.executable, str(script)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    note = tmp_path / "work" / "tiny" / "pid"
    for _ in range(1200):
        if note.is_file() and note.read_text():
            break
        assert owner.poll() is None
        time.sleep(0.05)
    kernel = int(note.read_text())
    server = psutil.Process(kernel).ppid()
    time.sleep(0.2)
    os.kill(owner.pid, ending)
    assert gone(kernel)
    assert gone(server)
    owner.wait(20)
