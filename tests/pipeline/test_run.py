"""The whole run on real evidence with real kernels: complete, reproducible, and whole or not at all."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from pasimeta.errors import EvidenceError, NotebookError, PasimetaError
from pasimeta.evidence import tables
from pasimeta.pipeline.configuration import values_of
from pasimeta.pipeline.executed import committed
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.parameters import load_parameters
from pasimeta.pipeline.progress import Silent
from pasimeta.pipeline.record import CRATE, changed_results
from pasimeta.pipeline.runner import Settings, run
from pasimeta.pipeline.sections import Parameters

NAMES = [notebook.name for notebook in NOTEBOOKS]


@pytest.fixture(scope="module")
def outcome(default_run):
    """Results and site of one run at default parameters."""
    return default_run


@pytest.fixture(scope="module")
def results(outcome):
    return outcome / "results"


class Refusing(Silent):
    """Fails the test as soon as a notebook runs."""

    def started(self, name, reason, cells):
        pytest.fail(f"{name} ran: {reason}")


def files(folder, *patterns):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for pattern in patterns for p in folder.glob(pattern)}


def table(results, name):
    return pd.read_csv(results / "tables" / f"{name}.csv")


def change_cell(path, old, new):
    notebook = nbformat.read(path, as_version=4)
    changed = [cell for cell in notebook.cells if old in cell.source]
    assert len(changed) == 1
    changed[0].source = changed[0].source.replace(old, new)
    nbformat.write(notebook, path)


# What is there


def test_every_notebook_is_executed_without_error(results):
    for name in NAMES:
        notebook = nbformat.read(results / "notebooks" / f"{name}.ipynb", as_version=4)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in code)
        kinds = {output.output_type for cell in code for output in cell.outputs}
        assert kinds <= {"display_data"}  # no error, no warning, no stray repr


def test_every_table_of_the_manifest_is_written_and_no_other(results):
    written = {path.stem for path in (results / "tables").iterdir()}
    assert written == {name for notebook in NOTEBOOKS for name in notebook.writes}


def test_every_figure_is_there_as_svg_and_png_and_the_main_ones_for_a_column(results):
    made = {p.name for p in (results / "figures").iterdir()}
    main = ("response_forest", "main_forest", "response_curve", "safety_forest", "sex_subgroup_1")
    columns = {f"{name}-narrow.svg" for name in main}
    names = {name.rsplit(".", 1)[0] for name in made - columns}
    assert made == columns | {f"{name}.{ending}" for name in names for ending in ("svg", "png")}
    assert {"record_flow", "response_by_threshold", "response_forest", "main_forest", "dose_cumulative"} <= names


def test_headline_numbers_are_those_of_the_report(results):
    pooled = table(results, "pooled").set_index("threshold")
    assert pooled["k"].to_dict() == {40: 1, 50: 2, 75: 1, 90: 1}
    # 8/17 = 47.1 % [23.0, 72.2], 6/17 and 3/17, Clopper-Pearson as in the dossier of the evidence
    for threshold, rate, lower, upper in (
        (40, 0.471, 0.230, 0.722),
        (75, 0.353, 0.142, 0.617),
        (90, 0.176, 0.038, 0.434),
    ):
        row = pooled.loc[threshold]
        found = [row["estimate_lower"], row["estimate_upper"], row["ci_lower"], row["ci_upper"]]
        assert found == pytest.approx([rate, rate, lower, upper], abs=5e-4)
    assert pooled.loc[50, ["events_lower", "events_upper", "n"]].tolist() == [8, 10, 24]
    assert table(results, "sex_subgroup")["fisher_p_value"].item() == pytest.approx(0.153, abs=5e-4)


def test_summary_says_no_more_than_the_evidence(results):
    summary = table(results, "summary").set_index("key")["text"]
    assert "37 people" in summary["lead"]
    assert "6 of 17 patients" in summary["lead"]
    assert "**not identified**" in summary["sex"]
    assert "**not identified**" in summary["dose"]
    assert "One study is not a pool" in summary["response"]


def test_no_result_names_a_path_of_this_machine(project, outcome):
    homes = [str(project.root), str(outcome), str(Path.home()) + "/", sys.prefix]
    for name, content in files(outcome, "**/*.ipynb", "**/*.csv", "**/*.svg", "**/*.html", "**/*.json").items():
        for home in homes:
            assert home.encode() not in content, (name, home)


def test_responses_hold_to_their_schema(results):
    tables.read_table(results / "tables" / "responses.csv", tables.RESPONSES)
    tables.read_table(results / "tables" / "doses.csv", tables.DOSES)


def test_parameters_of_the_run_are_recorded(results):
    assert json.loads((results / "parameters.json").read_text()) == Parameters().model_dump()


# It reproduces


def test_committed_notebooks_are_what_a_run_writes(project, results):
    for name in NAMES:
        mine = committed(results / "notebooks" / f"{name}.ipynb")
        assert (project.notebooks / f"{name}.ipynb").read_text(encoding="utf-8") == mine, f"{name}: make notebooks"


def test_readme_figure_is_what_a_run_draws(project, results):
    assert (project.root / "docs" / "response_forest.png").read_bytes() == (
        results / "figures" / "response_forest.png"
    ).read_bytes()


def timeless(crate):
    """Leave out of a crate when the run was, and what the record that holds it weighs."""
    for entity in crate["@graph"]:
        times = {"startTime", "endTime", "datePublished"}
        for key in times | ({"sha256", "contentSize"} if entity["@id"] == "run.json" else set()):
            entity.pop(key, None)
    return crate


def test_second_run_is_identical_to_the_byte(project, outcome, tmp_path):
    run(project, Parameters(), Settings(results=tmp_path / "results", site=tmp_path / "site", jobs=1))
    mine, theirs = files(tmp_path, "**/*.*"), files(outcome, "**/*.*")
    for made in (mine, theirs):  # when it ran and how long it took stands in the record and the crate alone
        del made["results/run.json"]
        made[f"results/{CRATE}"] = timeless(json.loads(made[f"results/{CRATE}"]))
    assert mine == theirs


def test_nbval_finds_the_committed_outputs_again(project, results, tmp_path):
    # each notebook finds the tables of the others already there, so that two can be checked at a time
    copy = tmp_path / "results"
    subprocess.run(["cp", "-r", str(results), str(copy)], check=True)
    command = [sys.executable, "-m", "pytest", "--override-ini=addopts=", "--nbval", "--nbval-current-env", "-q"]
    command += ["-n", "2", "--dist", "loadscope"]
    environment = {**os.environ, "PASIMETA_RESULTS": str(copy), "PYTEST_ADDOPTS": ""}
    environment.pop("PYTEST_XDIST_WORKER", None)
    done = subprocess.run(
        [*command, *(str(project.notebooks / f"{name}.ipynb") for name in NAMES)],
        cwd=project.root,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    cells = sum(
        cell.cell_type == "code"
        for name in NAMES
        for cell in nbformat.read(project.notebooks / f"{name}.ipynb", as_version=4).cells
    )
    assert f"{cells} passed" in done.stdout


def test_default_cell_of_each_notebook_holds_the_defaults(project):
    for notebook in NOTEBOOKS:
        cells = nbformat.read(project.notebooks / f"{notebook.name}.ipynb", as_version=4).cells
        (cell,) = [c for c in cells if "parameters" in c.metadata.get("tags", [])]
        values = {}
        exec(cell.source, values)
        del values["__builtins__"]
        assert values == values_of(notebook, Parameters().model_dump()), notebook.name


def test_notebooks_are_thin(project):
    for name in NAMES:
        cells = nbformat.read(project.notebooks / f"{name}.ipynb", as_version=4).cells
        code = [c for c in cells if c.cell_type == "code" and not c.metadata.get("tags")]
        assert len(code) < 10, name
        for cell in code:
            assert len(cell.source.splitlines()) <= 12, (name, cell.source)
            assert not re.search(r"^\s*(def|class) ", cell.source, re.MULTILINE), name


# Parameters and partial runs


def test_one_notebook_is_rerun_with_a_changed_parameter(project, results, tmp_path):
    parameters = load_parameters(project.config, ["pooling.threshold=75", "pooling.unreported=bound"])
    target = tmp_path / "copy"
    subprocess.run(["cp", "-r", f"{results}/.", str(target)], check=True)
    run(project, parameters, Settings(only=("pooling",), results=target, site=tmp_path / "site"))
    pooled = table(target, "pooled").set_index("threshold")
    assert pooled.loc[75, ["k", "events_lower", "events_upper", "n"]].tolist() == [2, 6, 8, 24]
    assert "PASI75" in (target / "figures" / "main_forest.svg").read_text()
    unchanged = files(target, "tables/responses.csv", "notebooks/01_*.ipynb", "figures/sex_forest.svg")
    assert unchanged == files(results, "tables/responses.csv", "notebooks/01_*.ipynb", "figures/sex_forest.svg")


# Bad input


def test_failing_cell_is_named_and_earlier_results_survive(copied_project):
    change_cell(copied_project.notebooks / "01_evidence.ipynb", "stages = flow", "raise ValueError('flooded')\nflow")
    results = copied_project.results
    results.mkdir()
    (results / "earlier.csv").write_text("kept")
    with pytest.raises(NotebookError) as failure:
        run(copied_project, Parameters(), Settings(only=("evidence",)))
    message = str(failure.value)
    assert re.match(r"01_evidence: cell \d+: ValueError: flooded; the notebook up to there is in ", message)
    assert (results / "earlier.csv").read_text() == "kept"
    kept = nbformat.read(results / "failed" / "01_evidence.ipynb", as_version=4)
    outputs = [output for cell in kept.cells for output in cell.get("outputs", [])]
    assert outputs[-1].ename == "ValueError"
    assert sorted(p.name for p in results.iterdir()) == ["earlier.csv", "failed"]
    assert not copied_project.site.exists()
    assert [p.name for p in copied_project.root.iterdir() if p.name.startswith(".")] == []


def test_missing_column_of_an_earlier_table_is_named(copied_project, results):
    target = copied_project.results
    subprocess.run(["cp", "-r", f"{results}/.", str(target)], check=True)
    path = target / "tables" / "responses.csv"
    pd.read_csv(path).drop(columns="n_analysed").to_csv(path, index=False)
    with pytest.raises(NotebookError, match=r"08_sex_subgroup: cell \d+: EvidenceError: .*'n_analysed' is missing"):
        run(copied_project, Parameters(), Settings(only=("sex_subgroup",)))


def test_missing_notebook_is_named(copied_project):
    (copied_project.notebooks / "01_evidence.ipynb").unlink()
    with pytest.raises(NotebookError, match=r"01_evidence\.ipynb: is missing"):
        run(copied_project, Parameters(), Settings(only=("evidence",)))


def test_broken_evidence_stops_before_anything_runs(copied_project):
    (copied_project.data / "studies" / "cheng2022.yaml").write_text("id: cheng2022\n")
    with pytest.raises(EvidenceError, match=r"cheng2022\.yaml:1: label: field required"):
        run(copied_project, Parameters(), reporter=Refusing())


def test_new_study_changes_the_pool(copied_project):
    path = copied_project.data / "studies" / "yao2021.yaml"
    names = {"id: yao2021": "id: new2026", "label: Yao 2021": "label: <script>alert(1)</script>"}
    text = path.read_text()
    for old, new in names.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    path.with_name("new2026.yaml").write_text(text)
    run(copied_project, Parameters(), Settings(only=("evidence", "pooling")))
    assert table(copied_project.results, "pooled").set_index("threshold").loc[50, ["k", "n"]].tolist() == [3, 31]
    page = (copied_project.site / "04_pooling.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_readme_states_the_numbers_of_a_run(project, results):
    readme = " ".join((project.root / "README.md").read_text(encoding="utf-8").split())
    pooled = table(results, "pooled").set_index("threshold")

    def percents(row, *names):
        return [f"{100 * row[name]:.0f}" for name in names]

    for threshold, count in ((75, "6 of 17 patients"), (50, "8 to 10 of 24 patients")):
        row = pooled.loc[threshold]
        lower, upper = percents(row, "ci_lower", "ci_upper")
        start = readme.index(f"**PASI{threshold}**: {count}")
        assert f"95 % interval {lower} to {upper} %" in readme[start : start + 200]
    low, high = percents(pooled.loc[50], "estimate_lower", "estimate_upper")
    assert f"pooled {low} to {high} %" in readme
    sex = table(results, "sex_subgroup").iloc[0]
    points = percents(sex, "risk_difference", "risk_difference_ci_lower", "risk_difference_ci_upper")
    assert "difference {} points, 95 % interval {} to {}".format(*points) in readme


# Only what changed


def test_unchanged_run_runs_nothing(project, outcome):
    before = files(outcome, "**/*.*")
    run(project, Parameters(), Settings(results=outcome / "results", site=outcome / "site"), Refusing())
    assert files(outcome, "**/*.*") == before


class Noting(Silent):
    """Keeps which notebook ran, and why."""

    def __init__(self):
        self.reasons = {}

    def started(self, name, reason, cells):
        self.reasons[name] = reason


def test_changed_parameter_reruns_its_notebook_and_what_reads_it(project, results, tmp_path):
    target = tmp_path / "results"
    subprocess.run(["cp", "-r", f"{results}/.", str(target)], check=True)
    noting = Noting()
    parameters = load_parameters(project.config, ["sex_subgroup.threshold=75"])
    run(project, parameters, Settings(results=target, site=tmp_path / "site"), noting)
    assert noting.reasons["08_sex_subgroup"] == "parameters changed: threshold"
    assert noting.reasons["14_summary"].startswith("inputs changed: tables/statements_sex.csv")
    assert set(noting.reasons) == {"08_sex_subgroup", "14_summary"}


def test_tampered_result_is_found_and_made_again(project, results, tmp_path):
    target = tmp_path / "results"
    subprocess.run(["cp", "-r", f"{results}/.", str(target)], check=True)
    assert changed_results(target) == []
    path = target / "tables" / "sex_subgroup.csv"
    path.write_text(path.read_text().replace("0.153", "0.049"))
    (target / "figures" / "sex_forest.svg").unlink()
    (target / "tables" / "extra.csv").write_text("a\n")
    assert changed_results(target) == [
        "figures/sex_forest.svg: is missing",
        "tables/sex_subgroup.csv: has changed since the run",
        "tables/extra.csv: wasn't made by the run",
    ]
    noting = Noting()
    run(project, Parameters(), Settings(results=target, site=tmp_path / "site"), noting)
    assert noting.reasons == {"08_sex_subgroup": "a result of it is missing or was changed"}
    assert changed_results(target) == []


def test_folder_without_a_record_cannot_be_verified(tmp_path):
    with pytest.raises(PasimetaError, match=r"has no run\.json"):
        changed_results(tmp_path)
