"""A project of three small notebooks, and processes that run pasimeta on it: for trying what goes wrong.

Run as a script, it is a process that has imported what a run imports and forks one on request, so that fifty runs don't
import it fifty times. Only what is large is left out: the evidence, the site, and the stack the warm parent imports.
"""

import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

MARK = "PASIMETA_TRIAL"  # in the environment of every process of a run, kernels included
SCRIPT = Path(__file__).resolve()
NUMBERS = "from pathlib import Path\nPath('tables/numbers.csv').write_text('a\\n1\\n2\\n')"
DOUBLED = "from pathlib import Path\nlines = Path('tables/numbers.csv').read_text().split()[1:]"
WRITTEN = "Path('tables/doubled.csv').write_text('a\\n' + ''.join(f'{2 * int(n)}\\n' for n in lines))"
OTHER = "from pathlib import Path\nPath('tables/other.csv').write_text('b\\n3\\n')"
FIGURE = "Path('figures/dot.svg').write_text('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')"
CELLS = {
    "01_numbers": [NUMBERS, "import time; time.sleep(0.1)"],
    "02_other": [OTHER, "import time; time.sleep(0.1)", FIGURE],
    "03_doubled": [DOUBLED, WRITTEN],
}
SECTIONS = {"01_numbers": "evidence", "02_other": "pooling", "03_doubled": "summary"}
WHOLE = {"numbers.csv": "a\n1\n2\n", "other.csv": "b\n3\n", "doubled.csv": "a\n2\n4\n"}


def write_project(root, **cells):
    """Write the project; ``cells`` replaces a notebook's, by its name without the number."""
    for folder in ("config", "data", "notebooks"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "config" / "analysis.yaml").write_text("{}\n")
    (root / "data" / "search.yaml").write_text("{}\n")
    for name, sources in CELLS.items():
        write_notebook(root, name, cells.get(name.partition("_")[2], sources))
    return root


def write_notebook(root, name, sources):
    from pasimeta.pipeline.sections import Parameters

    keys = type(getattr(Parameters(), SECTIONS[name])).model_fields
    sources = ["\n".join(f"{key} = None" for key in keys), *sources]
    cells = [
        {"cell_type": "code", "id": f"c{i}", "source": s, "metadata": {}, "outputs": [], "execution_count": None}
        for i, s in enumerate(sources)
    ]
    cells[0]["metadata"] = {"tags": ["parameters"]}
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path = root / "notebooks" / f"{name}.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))


class Runs:
    """Starts runs, and says how each ended."""

    def __init__(self, scratch):
        self.scratch, self.count = scratch, 0
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, str(SCRIPT)], stdin=pipe, stdout=pipe, text=True, bufsize=1)
        assert json.loads(self.process.stdout.readline()) == "ready"

    def start(self, root, *arguments, largest_file=None, **environment):
        """Start ``pasimeta run`` in a project, and return the run."""
        self.count += 1
        temporary = self.scratch / f"tmp{self.count}"
        temporary.mkdir()
        output = self.scratch / f"output{self.count}"
        output.touch()
        environment |= {MARK: f"{self.scratch}-{self.count}", "TMPDIR": str(temporary), "PASIMETA_PROJECT": str(root)}
        asked = {"arguments": ["run", "--no-site", *arguments], "environment": environment, "output": str(output)}
        return Run(self, self._ask(asked | {"cwd": str(root), "largest_file": largest_file}), output, temporary)

    def finished(self, root, *arguments, **settings):
        """Run ``pasimeta run`` to its end, and return the run."""
        run = self.start(root, *arguments, **settings)
        run.wait()
        return run

    def ended(self, pid):
        return self._ask({"wait": pid})

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)

    def _ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        return json.loads(self.process.stdout.readline())


class Run:
    """One run."""

    def __init__(self, runs, pid, output, temporary):
        self.runs, self.pid, self.output, self.temporary = runs, pid, output, temporary
        self.mark, self.status = f"{MARK}={runs.scratch}-{runs.count}\0".encode(), None

    def wait(self):
        """Wait for its end, and return its exit status; negative for a signal."""
        self.status = self.runs.ended(self.pid)
        return self.status

    def said(self):
        return self.output.read_text()

    def wait_for(self, words):
        for _ in range(4000):
            if words in self.said():
                return
            time.sleep(0.01)
        raise AssertionError(f"never said {words!r}: {self.said()}")

    def left_running(self):
        """Return the processes of the run that still live after five seconds."""
        end = time.monotonic() + 5
        while (left := [p.name for p in Path("/proc").glob("[0-9]*") if self._owns(p)]) and time.monotonic() < end:
            time.sleep(0.05)
        return left

    def _owns(self, process):
        try:
            return self.mark in (process / "environ").read_bytes()  # which a zombie has no more
        except OSError:
            return False


def problems(root, run, allow_absent=True):
    """Say what a run has left that it mustn't: processes, half-written results, scratch and temporary files."""
    found = [f"process {pid}" for pid in run.left_running()]
    found += [f"temporary {path.name}" for path in run.temporary.iterdir()]
    found += [f"scratch {path.name}" for path in root.iterdir() if path.name.startswith(".")]
    return found + incomplete(root, allow_absent)


def incomplete(root, allow_absent=True):
    """Say what isn't whole of the results."""
    from pasimeta.pipeline.record import changed_results

    results = root / "results"
    if not results.exists():
        return [] if allow_absent else ["no results"]
    tables = {path.name: path.read_text() for path in (results / "tables").glob("*.csv")}
    return changed_results(results) + ([] if tables == WHOLE else [f"tables {sorted(tables)}"])


# What runs in the other process


def _tiny_manifest():
    from pasimeta.pipeline import manifest

    tables = {
        "01_numbers": ((), ("numbers",)),
        "02_other": ((), ("other",)),
        "03_doubled": (("numbers",), ("doubled",)),
    }
    manifest.NOTEBOOKS = tuple(
        manifest.Notebook(name, section, name, (), *tables[name]) for name, section in SECTIONS.items()
    )


def _light_server():
    """Start the warm parent from here, where it imports Jupyter's kernel alone."""
    started = subprocess.Popen

    def popen(command, *rest, **settings):
        if list(command[1:3]) == ["-m", "pasimeta.pipeline.forkserver"]:
            command = [command[0], str(SCRIPT), *command[2:]]
        return started(command, *rest, **settings)

    subprocess.Popen = popen


def _serve_kernels():
    from pasimeta.pipeline import forkserver

    forkserver.BASE, forkserver.LATER = ("ipykernel.kernelapp", "ipykernel.ipkernel"), ()
    sys.argv = sys.argv[1:3]  # without the project, whose notebooks import nothing
    forkserver.main()


def _become_run(request):
    os.setsid()
    output = os.open(request["output"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    if request["largest_file"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"],) * 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["pasimeta", *request["arguments"]]

    from pasimeta.cli import main

    main()


def _fork_on_request():
    _tiny_manifest()
    for name in ("parameters", "runner", "execute", "kernels", "crate"):
        importlib.import_module(f"pasimeta.pipeline.{name}")
    importlib.import_module("pasimeta.evidence.store").load_evidence = lambda folder: None
    importlib.import_module("pasimeta.pipeline.execute").import_papermill()
    importlib.import_module("rocrate.rocrate")
    importlib.import_module("pasimeta.cli")
    _light_server()
    print(json.dumps("ready"), flush=True)
    for line in iter(sys.stdin.readline, ""):
        request = json.loads(line)
        if "wait" in request:
            answer = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
        else:
            answer = os.fork()
            if answer == 0:
                _become_run(request)
                return
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if "pasimeta.pipeline.forkserver" in sys.argv:
        _serve_kernels()
    else:
        _fork_on_request()
