"""How long the whole report takes, beside other ways to run the same cells.

Run it on a quiet machine: python benchmarks/pipeline.py [--rounds 5] [--only SECTION ...]. Every round times each way
once, one after another, and ratios are taken within a round. A way counts only if its tables and figures are those of
``pasimeta run``, byte for byte. All ways find their modules compiled, as pip leaves them, and none finds a cache of its
own. With every notebook, each whole round is added to benchmarks/results/pipeline_rounds.csv, and
benchmarks/results/pipeline.csv has the medians of all rounds there; those of other code are dropped. So a measurement
that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil

from pasimeta.pipeline.configuration import Configuration, values_of
from pasimeta.pipeline.files import write_text
from pasimeta.pipeline.fingerprint import PACKAGE, evidence_hashes, files_hash, notebook_source
from pasimeta.pipeline.forkserver import BASE, LATER
from pasimeta.pipeline.manifest import NOTEBOOKS, Notebook, select
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.record import read_record
from pasimeta.pipeline.warm import ONE_THREAD

PROJECT = Project(Path(__file__).resolve().parents[1])
OUTPUT = Path(__file__).parent / "results" / "pipeline.csv"
PHASES = Path(__file__).with_name("phases.py")
ROUNDS = OUTPUT.with_name("pipeline_rounds.csv")
CHANGES = ("sex_subgroup.threshold=75", "pooling.threshold=75", "thresholds.link=logit")
RUN, UNCHANGED = "pasimeta run, nothing cached", "pasimeta run, nothing changed"
PAPERMILL, SCRIPTS, WARM = "papermill, a notebook at a time", "plain scripts, one after another", "one warm interpreter"
FRESH, WATCHED, CELLS = "in a fresh process", "while watching", "cells alone"
SPIN = 10_000_000
SETTLING = 2.0  # seconds


@dataclass(frozen=True, slots=True)
class Taken:
    """What a way took: wall clock and processor seconds, and the most memory its processes held at once, in GiB."""

    seconds: float
    cpu: float
    memory: float


def environment(scratch: Path, results: Path) -> dict[str, str]:
    """Return the environment that every way gets."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PASIMETA_KERNEL")}
    own = {
        "PYTHONPYCACHEPREFIX": str(scratch / "bytecode"),
        "PASIMETA_RESULTS": str(results),
        "PASIMETA_PROJECT": str(PROJECT.root),
    }
    return kept | ONE_THREAD | own


def timed(commands: Sequence[Sequence[str]], scratch: Path, results: Path) -> tuple[Taken, str]:
    """Run commands one after another; return what they took together and what they printed."""
    for folder in ("tables", "figures"):
        (results / folder).mkdir(parents=True, exist_ok=True)
    printed, cpu, memory, since = "", 0.0, 0.0, time.perf_counter()
    for command in commands:
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=environment(scratch, results), cwd=PROJECT.root
            )
            peak = watched_memory(process)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            printed = output.read()
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: exit status {process.returncode}\n{printed[-2000:]}")
        cpu += usage.ru_utime + usage.ru_stime
        memory = max(memory, peak[0])
    return Taken(time.perf_counter() - since, cpu, memory), printed


def watched_memory(process: subprocess.Popen[bytes]) -> list[float]:
    """Return a one-element list that holds the peak of the memory of a process and all below it, GiB, as it grows.

    Pages that forked kernels share are counted once (proportional set size).
    """
    peak = [0.0]

    def watch() -> None:
        while process.returncode is None:
            held = 0
            try:
                root = psutil.Process(process.pid)
                for member in (root, *root.children(recursive=True)):
                    held += member.memory_full_info().pss
            except psutil.Error:  # it ended amid the count
                held = 0
            peak[0] = max(peak[0], held / 2**30)
            time.sleep(1.0)  # a count holds up the processes that are counted

    threading.Thread(target=watch, daemon=True).start()
    return peak


def spin() -> float:
    """Seconds of a fixed piece of pure computation: tells a slow moment of the machine from a slow way."""
    since = time.perf_counter()
    total = 0
    for i in range(SPIN):
        total += i
    return time.perf_counter() - since


def fingerprint(results: Path) -> dict[str, str]:
    """Return the hash of every table and figure."""
    paths = sorted(p for folder in ("tables", "figures") for p in (results / folder).iterdir())
    return {p.relative_to(results).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def require_equal(way: str, results: Path, reference: Path) -> None:
    """Stop if a way made other tables or figures."""
    mine, theirs = fingerprint(results), fingerprint(reference)
    different = sorted(name for name in mine.keys() | theirs.keys() if mine.get(name) != theirs.get(name))
    if different:
        raise SystemExit(f"{way}: differs in {', '.join(different)}; its time would mean nothing")


def run_command(results: Path, chosen: Sequence[Notebook], *options: str) -> list[str]:
    """Return the command of a whole run, or of the chosen notebooks."""
    only = [] if len(chosen) == len(NOTEBOOKS) else [f"--only={notebook.section}" for notebook in chosen]
    return [sys.executable, "-m", "pasimeta.cli", "run", f"--out={results}", *only, *options]


def script(notebook: Notebook, folder: Path) -> Path:
    """Write a notebook's code cells as a plain script."""
    path = folder / f"{notebook.name}.py"
    path.write_text("\n\n".join(code_cells(notebook)) + "\n", encoding="utf-8")
    return path


def code_cells(notebook: Notebook, injected: str = "") -> list[str]:
    """Return the sources of a notebook's code cells, with one injected after its parameters."""
    cells = json.loads((PROJECT.notebooks / f"{notebook.name}.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = []
    for cell in cells:
        if cell["cell_type"] == "code":
            sources.append("".join(cell["source"]))
            sources += [injected] if injected and "parameters" in cell["metadata"].get("tags", []) else []
    return sources


def in_one_interpreter(names: Sequence[str], overrides: Sequence[str]) -> None:
    """Execute notebooks' cells in this process, everything imported, and print the seconds of the cells."""
    import contextlib
    import importlib
    import io

    from pasimeta.pipeline import forkserver

    for name in (*BASE, *LATER):
        importlib.import_module(name)
    forkserver._import_what_notebooks_use(PROJECT)
    forkserver._use_once(PROJECT)
    values = Configuration(PROJECT.config, tuple(overrides)).values()
    seconds = 0.0
    for notebook in select(names):
        given = values_of(notebook, values).items()
        cells = code_cells(notebook, "\n".join(f"{name} = {value!r}" for name, value in given))
        namespace: dict[str, object] = {"__name__": "__main__"}
        since = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            for cell in cells:
                exec(cell, namespace)
        seconds += time.perf_counter() - since
    print(json.dumps(seconds))


def warm_interpreter(names: Sequence[str], overrides: Sequence[str], scratch: Path, results: Path) -> Taken:
    """Time the cells alone, in an interpreter of their own that has imported everything."""
    options = [f"--only={name}" for name in names] + [f"--change={change}" for change in overrides]
    taken, printed = timed([[sys.executable, __file__, "--cells", *options]], scratch, results)
    return Taken(float(printed.splitlines()[-1]), taken.cpu, taken.memory)


def other_ways(chosen: Sequence[Notebook], scratch: Path, folder: Path, reference: Path) -> dict[str, Taken]:
    """Time the ways that pasimeta doesn't go."""
    names = [notebook.name for notebook in chosen]
    papermill = [sys.executable, "-m", "papermill", "--no-progress-bar", "-k", "python3"]
    notebooks = [
        [*papermill, str(PROJECT.notebooks / f"{name}.ipynb"), str(folder / f"{name}.ipynb")] for name in names
    ]
    scripts = [[sys.executable, str(script(notebook, folder))] for notebook in chosen]
    taken = {}
    for way, commands in ((PAPERMILL, notebooks), (SCRIPTS, scripts)):
        taken[way], _ = timed(commands, scratch, folder / way)
        require_equal(way, folder / way, reference)
    taken[WARM] = warm_interpreter(names, (), scratch, folder / WARM)
    require_equal(WARM, folder / WARM, reference)
    return taken


def one_change(change: str, scratch: Path, folder: Path, chosen: Sequence[Notebook]) -> dict[str, Taken]:
    """Time a parameter's change in a fresh process, while watching, and the cells of the notebooks that ran for it."""
    before = folder / "results"
    after, bare, watched = (folder / change / name / "results" for name in ("fresh", "bare", "watched"))
    for results in (after, watched):
        shutil.copytree(before, results)
        shutil.copytree(folder / "site", results.parent / "site")
    fresh, _ = timed([run_command(after, chosen, f"-p{change}")], scratch, after)
    old, new = read_record(before).notebooks, read_record(after).notebooks
    ran = [name for name in new if new[name].started != old[name].started]
    shutil.copytree(after, bare)
    for path in (path for name in ran for path in new[name].outputs):
        (bare / path).unlink()
    cells = warm_interpreter(ran, [change], scratch, bare)
    require_equal(f"{change}, {CELLS}", bare, after)
    stayed = watched_change(change, scratch, watched, chosen)
    require_equal(f"{change}, {WATCHED}", watched, after)
    return {f"{change}, {way}": taken for way, taken in ((FRESH, fresh), (WATCHED, stayed), (CELLS, cells))}


def watched_change(change: str, scratch: Path, results: Path, chosen: Sequence[Notebook]) -> Taken:
    """Time a change from the saved configuration to the new site, in a run that has stayed."""
    configuration = results.parent / "analysis.yaml"
    configuration.write_text("{}\n", encoding="utf-8")
    command = run_command(results, chosen, "--watch", f"--config={configuration}")
    with (results.parent / "said.txt").open("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            command, stdout=said, stderr=subprocess.STDOUT, env=environment(scratch, results), cwd=PROJECT.root
        )
        peak = watched_memory(process)
        try:
            wait_until(lambda: "watching " in Path(said.name).read_text(encoding="utf-8"), process)
            time.sleep(SETTLING)  # the warm parent imports what few notebooks need
            page, (key, value) = results.parent / "site", change.split("=")
            shown, busy, since = page.stat().st_ino, processor_seconds(process), time.perf_counter()
            configuration.write_text("{}:\n  {}: {}\n".format(*key.split("."), value), encoding="utf-8")
            wait_until(lambda: page.is_dir() and page.stat().st_ino != shown, process)
            taken = Taken(time.perf_counter() - since, processor_seconds(process) - busy, peak[0])
        finally:
            process.terminate()  # not Ctrl-C, which is ignored wherever the benchmark itself runs in the background
            process.wait(60)
    return taken


def wait_until(happened: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Look every few milliseconds; stop if the process has ended."""
    while not happened():
        if process.poll() is not None:
            raise SystemExit(f"the watching run has ended with status {process.returncode}")
        time.sleep(0.005)


def processor_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return what a process and its warm parent have used, with the kernels that have ended."""
    root = psutil.Process(process.pid)
    return sum(sum(member.cpu_times()[:4]) for member in (root, *root.children()))


def one_round(scratch: Path, chosen: Sequence[Notebook], changes: Sequence[str]) -> dict[str, Taken]:
    """Time every way once."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        folder = Path(name)
        results = folder / "results"
        taken: dict[str, Taken] = {}
        taken[RUN], _ = timed([run_command(results, chosen)], scratch, results)
        taken[UNCHANGED], printed = timed([run_command(results, chosen)], scratch, results)
        if "nothing has changed" not in printed:
            raise SystemExit(f"the second run ran something:\n{printed}")
        for change in changes:
            taken |= one_change(change, scratch, folder, chosen)
        return taken | other_ways(chosen, scratch, folder, results)


def ratios(taken: dict[str, Taken], changes: Sequence[str]) -> dict[str, float]:
    """Return what is asked for, of one round."""
    found = {
        "papermill / run": taken[PAPERMILL].seconds / taken[RUN].seconds,
        "run / plain scripts": taken[RUN].seconds / taken[SCRIPTS].seconds,
        "run / warm interpreter": taken[RUN].seconds / taken[WARM].seconds,
        "unchanged run, s": taken[UNCHANGED].seconds,
        "memory of the run, GiB": taken[RUN].memory,
    }
    for change, way in itertools.product(changes, (FRESH, WATCHED)):
        found[f"{change}, {way} / its cells"] = taken[f"{change}, {way}"].seconds / taken[f"{change}, {CELLS}"].seconds
    return found


ASKED = {
    "papermill / run": "at least 5",
    "run / plain scripts": "at most 1",
    "run / warm interpreter": "at most 1.6",
    "unchanged run, s": "below 0.5",
    "memory of the run, GiB": "below 1.5",
}


def summary(rounds: Sequence[dict[str, Taken]], changes: Sequence[str]) -> pd.DataFrame:
    """Median and range of every time and ratio."""
    rows = []
    for way in rounds[0]:
        seconds = [r[way].seconds for r in rounds]
        cpu = statistics.median(r[way].cpu for r in rounds)
        rows.append((way, "s", statistics.median(seconds), min(seconds), max(seconds), cpu, ""))
    of_rounds = [ratios(r, changes) for r in rounds]
    for name in of_rounds[0]:
        values = [r[name] for r in of_rounds]
        asked = ASKED.get(name, "below 3")
        rows.append((name, "asked", statistics.median(values), min(values), max(values), None, asked))
    columns = ["measure", "kind", "median", "lowest", "highest", "cpu_seconds", "asked"]
    return pd.DataFrame(rows, columns=columns).assign(rounds=len(rounds))


def measured_code() -> str:
    """Return a hash of what is measured: package, notebooks, data and configuration."""
    cells = "".join(notebook_source(PROJECT.notebooks / f"{notebook.name}.ipynb") for notebook in NOTEBOOKS)
    code = files_hash(sorted(PACKAGE.rglob("*.py")))
    parts = [code, cells, str(evidence_hashes(PROJECT.data)), PROJECT.config.read_text(encoding="utf-8")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def rounds_so_far(code: str) -> list[dict[str, Taken]]:
    """Return the whole rounds that have been measured of this code."""
    if not ROUNDS.is_file():
        return []
    kept = pd.read_csv(ROUNDS, dtype={"code": str}).query("code == @code")
    return [
        {row.way: Taken(row.seconds, row.cpu, row.memory) for row in rows.itertuples()}
        for _, rows in kept.groupby("round", sort=True)
    ]


def write_tables(rounds: Sequence[dict[str, Taken]], changes: Sequence[str], code: str) -> None:
    """Write every round, and what they say together."""
    ways = ((number, *item) for number, taken in enumerate(rounds, 1) for item in taken.items())
    rows = [(code, number, way, t.seconds, t.cpu, t.memory) for number, way, t in ways]
    frame = pd.DataFrame(rows, columns=["code", "round", "way", "seconds", "cpu", "memory"])
    for path, table in ((ROUNDS, frame), (OUTPUT, summary(rounds, changes))):
        write_text(path, table.to_csv(index=False, float_format="%.4g", lineterminator="\n"))


def measure(count: int, names: Sequence[str]) -> None:
    """Measure and print; write the tables after each whole round if it is of every notebook."""
    chosen = select(names)
    changes = [change for change in CHANGES if change.split(".")[0] in {notebook.section for notebook in chosen}]
    with tempfile.TemporaryDirectory(prefix="pasimeta-benchmark-") as folder:
        scratch = Path(folder)
        print("phases of a run (the second, so that modules are compiled):", flush=True)
        only = [f"--only={notebook.section}" for notebook in chosen] if names else []
        for attempt in ("compiling", "counting"):
            command = [sys.executable, str(PHASES), str(scratch / attempt), *only]
            _, printed = timed([command], scratch, scratch / attempt / "ignored")
        print(printed, flush=True)
        timed([[sys.executable, "-m", "papermill", "--help"]], scratch, scratch / "ignored")
        code = measured_code()
        rounds = [] if names else rounds_so_far(code)
        for number in range(len(rounds) + 1, len(rounds) + count + 1):
            print(f"round {number}: spin {spin():.2f} s", end="", flush=True)
            rounds.append(one_round(scratch, chosen, changes))
            print(
                f", and after {spin():.2f} s; "
                + ", ".join(f"{k} {v:.2f}" for k, v in ratios(rounds[-1], changes).items()),
                flush=True,
            )
            if not names and measured_code() == code:
                write_tables(rounds, changes, code)
    print(summary(rounds, changes).to_string(index=False, float_format="%.2f", na_rep=""))


def main() -> None:
    """Measure, or do what a measurement asks of a process of its own."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--only", action="append", default=[], help="these notebooks alone; name what they read, too")
    options.add_argument("--cells", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("--change", action="append", default=[], help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.cells:
        in_one_interpreter(given.only, given.change)
    else:
        measure(given.rounds, given.only)


if __name__ == "__main__":
    main()
