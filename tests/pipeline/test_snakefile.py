"""The Snakefile has the graph of the manifest, and Snakemake runs it, one notebook a rule."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pasimeta.cli import app
from pasimeta.errors import PasimetaError
from pasimeta.pipeline.graph import maker_of
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.parameters import load_parameters
from pasimeta.pipeline.progress import Silent
from pasimeta.pipeline.record import changed_results
from pasimeta.pipeline.runner import Settings, run
from pasimeta.pipeline.snakefile import snakefile

SNAKEMAKE = Path(__file__).resolve().parents[2] / ".venv-snakemake" / "bin" / "snakemake"
COMMAND = Path(sys.executable).with_name("pasimeta")
needs_snakemake = pytest.mark.skipif(not SNAKEMAKE.is_file(), reason="`make snakemake` sets Snakemake up")


def rules():
    """Return the text of each rule, by its name."""
    names_and_texts = re.split(r"^rule (\w+):$", snakefile(), flags=re.MULTILINE)[1:]
    return dict(zip(names_and_texts[::2], names_and_texts[1::2], strict=True))


def section_of(rule, name):
    """Return what a rule lists under a keyword."""
    text = re.search(rf"^    {name}:\n((?:        .*\n)+)", rule, re.MULTILINE)[1]
    return [line.strip().rstrip(",").strip('"') for line in text.splitlines()]


def test_there_is_a_rule_for_each_notebook_and_one_that_gathers():
    assert set(rules()) == {"report", *(notebook.section for notebook in NOTEBOOKS)}


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_rule_declares_what_its_notebook_reads_and_writes(notebook):
    rule = rules()[notebook.section]
    inputs, outputs = section_of(rule, "input"), section_of(rule, "output")
    assert inputs[0] == f"notebooks/{notebook.name}.ipynb"
    makers = {table: maker_of(table) for table in notebook.reads}
    tables = {f"parts/{maker.name}/results/tables/{table}.csv" for table, maker in makers.items()}
    assert set(inputs[1:]) - {"EVIDENCE"} == tables
    assert ("EVIDENCE" in inputs) == notebook.reads_evidence
    made = {f"parts/{notebook.name}/results/tables/{table}.csv" for table in notebook.writes}
    assert set(outputs) == made | {f"parts/{notebook.name}/results/run.json"}
    for table, maker in makers.items():
        assert f"parts/{maker.name}/results/tables/{table}.csv" in section_of(rules()[maker.section], "output")
    shell = "".join(section_of(rule, "shell"))
    assert re.findall(r"--only (\S+)", shell) == [notebook.name]
    assert set(re.findall(r"--from parts/(\S+?)/results", shell)) == {maker.name for maker in makers.values()}


def test_command_writes_it_where_snakemake_looks(copied_project, monkeypatch):
    monkeypatch.chdir(copied_project.root)
    told = CliRunner().invoke(app, ["export", "snakemake"])
    assert told.exit_code == 0
    path = copied_project.root / "workflow" / "Snakefile"
    assert path.read_text() == snakefile()
    assert str(copied_project.root) not in path.read_text()
    assert max(map(len, path.read_text().splitlines())) <= 120


def test_lock_of_snakemakes_environment_has_hashes_and_no_registry(project):
    text = (project.root / "requirements-snakemake.lock").read_text()
    for entry in re.split(r"\n(?=[A-Za-z0-9])", text.strip()):
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in text
    assert re.search(r"^snakemake==9\.", text, re.MULTILINE)


# Snakemake itself


@pytest.fixture(scope="module")
def workflow(project, tmp_path_factory):
    """A function that runs Snakemake on a copy of the project."""
    root = tmp_path_factory.mktemp("cluster")
    for folder in ("config", "data", "notebooks"):
        subprocess.run(["cp", "-r", str(project.root / folder), str(root)], check=True)
    (root / "workflow").mkdir()
    (root / "workflow" / "Snakefile").write_text(snakefile())

    def snakemake(*arguments, other=None):
        command = [str(SNAKEMAKE), *arguments, "--config", f"command={COMMAND}"]
        if other is not None:
            (root / "other.yaml").write_text(other)
            command += ["--configfile", "other.yaml"]
        environment = {**os.environ, "XDG_CACHE_HOME": str(root / ".cache")}
        environment.pop("PASIMETA_PROJECT", None)
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    snakemake.root = root
    return snakemake


def jobs(said):
    """Return how many jobs of each rule Snakemake has planned."""
    table = said[said.index("Job stats:") :].split("\n\n")[0].splitlines()[3:]
    return {name: int(count) for name, count in (line.split() for line in table)}


@needs_snakemake
def test_dry_run_plans_every_notebook_once(workflow):
    planned = jobs(workflow("--dry-run"))
    assert planned == {"report": 1, **{n.section: 1 for n in NOTEBOOKS}, "total": len(NOTEBOOKS) + 1}


@pytest.fixture(scope="module")
def parts(workflow):
    """What a local run of two rules has made."""
    workflow("--cores", "2", "parts/03_effect_sizes/results/run.json")
    return workflow.root / "parts"


class Refusing(Silent):
    """Fails the test as soon as a notebook runs."""

    def started(self, name, reason, cells):
        pytest.fail(f"{name} ran: {reason}")


@needs_snakemake
class TestLocalRun:
    def test_each_rule_runs_its_own_notebook_alone(self, parts):
        assert sorted(path.name for path in parts.iterdir()) == ["01_evidence", "03_effect_sizes"]
        assert [p.name for p in (parts / "01_evidence/results/notebooks").iterdir()] == ["01_evidence.ipynb"]
        for part in parts.iterdir():
            assert changed_results(part / "results") == []

    def test_gathered_results_are_those_of_the_rules(self, project, parts, tmp_path):
        chosen = ("evidence", "effect_sizes")
        earlier = tuple(parts / name / "results" for name in ("01_evidence", "03_effect_sizes"))
        settings = Settings(chosen, tmp_path / "results", tmp_path / "site", earlier=earlier, render=False)
        run(project, load_parameters(project.config), settings, Refusing())
        assert changed_results(tmp_path / "results") == []
        for name in ("tables/responses.csv", "tables/effect_sizes.csv", "notebooks/03_effect_sizes.ipynb"):
            part = parts / ("03_effect_sizes" if "effect" in name else "01_evidence")
            assert (tmp_path / "results" / name).read_bytes() == (part / "results" / name).read_bytes()

    def test_nothing_is_left_to_do(self, workflow, parts):
        assert "Nothing to be done" in workflow("--dry-run", "parts/03_effect_sizes/results/run.json")

    def test_changed_parameter_plans_what_takes_it_alone(self, workflow, parts):
        target = ("--dry-run", "--printshellcmds", "parts/03_effect_sizes/results/run.json")
        said = workflow(*target, other="effect_sizes: {interval: wilson}")
        assert jobs(said) == {"effect_sizes": 1, "total": 1}
        assert "-p 'effect_sizes.interval=\"wilson\"'" in said
        said = workflow(*target, other="evidence: {min_analysed: 2}")
        assert jobs(said) == {"evidence": 1, "effect_sizes": 1, "total": 2}
        assert "-p evidence.min_analysed=2" in said


def test_folder_without_results_is_no_source(project, tmp_path):
    with pytest.raises(PasimetaError, match=r"nowhere.*has no run\.json"):
        run(project, load_parameters(project.config), Settings(results=tmp_path / "r", earlier=(tmp_path / "nowhere",)))
