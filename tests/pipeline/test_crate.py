"""A run leaves a research object: workflow, inputs, parameters and results described, every file with its checksum."""

import hashlib
import json
import shutil
from datetime import datetime

import pytest
from rocrate.rocrate import ROCrate
from typer.testing import CliRunner

from pasimeta.cli import app
from pasimeta.pipeline.configuration import values_of
from pasimeta.pipeline.crate import write_crate
from pasimeta.pipeline.crate_contents import PROFILES
from pasimeta.pipeline.fingerprint import cells_hash, environment, evidence_hashes, file_hash
from pasimeta.pipeline.manifest import NOTEBOOKS
from pasimeta.pipeline.project import Project
from pasimeta.pipeline.record import CRATE, NotebookRecord, RunRecord, changed_results, read_record
from pasimeta.pipeline.sections import Parameters

FIRST, THIRD = NOTEBOOKS[0], NOTEBOOKS[2]
STARTED = "2026-11-22T10:00:00.000+00:00"


def made_by(project, notebook, folder, **parameters):
    """Write stand-ins of a notebook's results, and return its record."""
    outputs = [f"tables/{table}.csv" for table in notebook.writes]
    outputs += [f"figures/{notebook.section}.svg", f"notebooks/{notebook.name}.ipynb"]
    for path in outputs:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"{path} of {notebook.name}\n")
    given = values_of(notebook, Parameters().model_dump()) | parameters
    inputs = {f"tables/{table}.csv": "0" * 64 for table in notebook.reads}
    inputs |= {p: h for p, h in hashes(folder).items() if p in inputs}
    prints = {
        "notebook": {notebook.name: cells_hash(project.notebooks / f"{notebook.name}.ipynb")},
        "parameters": {key: json.dumps(value) for key, value in given.items()},
        "inputs": inputs | (evidence_hashes(project.data) if notebook.reads_evidence else {}),
        "environment": environment(),
    }
    return NotebookRecord(prints, {path: file_hash(folder / path) for path in outputs}, STARTED, 1.5)


def hashes(folder):
    return {p.relative_to(folder).as_posix(): file_hash(p) for p in folder.rglob("*") if p.is_file()}


def described(folder, project, **parameters):
    """Write a run of two notebooks with its crate, and return its record."""
    notebooks = {n.name: made_by(project, n, folder, **parameters.get(n.section, {})) for n in (FIRST, THIRD)}
    record = RunRecord(Parameters().model_dump(), notebooks, {}, environment(), STARTED, 4.0)
    (folder / "parameters.json").write_text("{}\n")
    record.write(folder)
    write_crate(project, record, folder)
    return record


@pytest.fixture
def results(project, tmp_path):
    folder = tmp_path / "results"
    described(folder, project)
    return folder


@pytest.fixture
def entities(results):
    return {entity["@id"]: entity for entity in json.loads((results / CRATE).read_text())["@graph"]}


def kinds(entity):
    return {entity["@type"]} if isinstance(entity["@type"], str) else set(entity["@type"])


def ids(value):
    return [one["@id"] for one in (value if isinstance(value, list) else [value])]


def references(value):
    """Every reference inside a property."""
    if isinstance(value, dict):
        return [value["@id"]]
    return [found for one in value for found in references(one)] if isinstance(value, list) else []


def test_every_file_of_the_folder_is_described_with_its_checksum(results, entities):
    files = {key: entity for key, entity in entities.items() if "File" in kinds(entity)}
    assert set(files) == set(hashes(results)) - {CRATE}
    for path, entity in files.items():
        content = (results / path).read_bytes()
        assert entity["sha256"] == hashlib.sha256(content).hexdigest()
        assert entity["contentSize"] == str(len(content))
        assert entity["encodingFormat"] != "application/octet-stream", path


def test_no_reference_leads_nowhere(entities):
    outside = {"https://w3id.org/ro/crate/1.1"}
    for entity in entities.values():
        for key, value in entity.items():
            for target in references(value):
                if key != "workExample":  # a table of a notebook that hasn't run
                    assert target in entities or target in outside, (entity["@id"], key)


def test_root_conforms_to_the_provenance_profile(entities):
    root = entities["./"]
    assert ids(root["conformsTo"]) == list(PROFILES)
    assert "https://w3id.org/ro/wfrun/provenance/0.5" in PROFILES
    assert root["license"] == {"@id": "https://spdx.org/licenses/BSD-3-Clause"}
    assert root["mainEntity"] == {"@id": "workflow/manifest.py"}
    assert datetime.fromisoformat(root["datePublished"]).tzinfo is not None
    assert set(ids(root["mentions"])) == {"#run", f"#run/{FIRST.name}", f"#run/{THIRD.name}", "#organization"}


def test_each_notebook_is_a_tool_of_the_workflow_and_a_step(entities):
    workflow = entities["workflow/manifest.py"]
    assert kinds(workflow) == {"File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"}
    tools = [f"workflow/notebooks/{n.name}.ipynb" for n in (FIRST, THIRD)]
    assert ids(workflow["hasPart"]) == tools
    assert [entities[step]["workExample"]["@id"] for step in ids(workflow["step"])] == tools
    assert [entities[step]["position"] for step in ids(workflow["step"])] == ["1", "3"]


def test_action_of_a_notebook_says_what_came_of_what_and_when(entities):
    action = entities[f"#run/{THIRD.name}"]
    assert action["instrument"] == {"@id": f"workflow/notebooks/{THIRD.name}.ipynb"}
    assert (action["startTime"], action["endTime"]) == (STARTED, "2026-11-22T10:00:01.500+00:00")
    assert action["agent"] == {"@id": "#pasimeta"}
    assert {"tables/responses.csv", "#value/common.level", "#value/effect_sizes.interval"} <= set(ids(action["object"]))
    assert set(ids(action["result"])) == {
        *(f"tables/{table}.csv" for table in THIRD.writes),
        "figures/effect_sizes.svg",
        f"notebooks/{THIRD.name}.ipynb",
    }
    assert "inputs/data/sources.yaml" in ids(entities[f"#run/{FIRST.name}"]["object"])


def test_parameters_have_their_names_types_meanings_and_values(entities):
    slot, value = entities["#parameter/effect_sizes.interval"], entities["#value/effect_sizes.interval"]
    assert (slot["name"], slot["additionalType"], slot["defaultValue"]) == (
        "effect_sizes.interval",
        "Text",
        "clopper_pearson",
    )
    assert "Clopper-Pearson" in slot["description"]
    assert (value["value"], value["exampleOfWork"]) == ("clopper_pearson", {"@id": slot["@id"]})
    types = {key: entities[f"#parameter/{key}"]["additionalType"] for key in ("common.level", "evidence.min_analysed")}
    assert types == {"common.level": "Float", "evidence.min_analysed": "Integer"}
    assert entities["#value/effect_sizes.measures"]["value"] == ["PLO", "PAS", "PFT", "PR"]
    assert set(ids(entities["workflow/manifest.py"]["input"])) == {
        key for key in entities if key.startswith("#parameter/")
    }


def test_software_is_named_with_its_version(entities):
    software = entities["#pasimeta"]
    needed = {entities[key]["name"]: entities[key]["softwareVersion"] for key in ids(software["softwareRequirements"])}
    versions = environment()
    assert software["softwareVersion"] == versions["pasimeta"]
    assert needed == {name: version for name, version in versions.items() if name not in ("pasimeta", "platform")}


def test_what_an_earlier_run_used_is_not_passed_off_as_todays(copied_project, tmp_path):
    folder = tmp_path / "results"
    record = described(folder, copied_project, effect_sizes={"interval": "wilson"})
    record.notebooks[THIRD.name].fingerprint["inputs"]["tables/responses.csv"] = "a" * 64
    changed = copied_project.notebooks / f"{THIRD.name}.ipynb"
    changed.write_text(changed.read_text().replace("effect", "result"))
    write_crate(copied_project, record, folder)
    entities = {entity["@id"]: entity for entity in json.loads((folder / CRATE).read_text())["@graph"]}
    action = entities[f"#run/{THIRD.name}"]
    assert f"#tables/responses.csv@{'a' * 12}" in ids(action["object"])
    assert entities[f"#value/effect_sizes.interval@{THIRD.name}"]["value"] == "wilson"
    assert action["instrument"]["@id"].startswith(f"#workflow/notebooks/{THIRD.name}.ipynb@")
    assert "An earlier version, not kept" in entities[action["instrument"]["@id"]]["description"]


def test_same_run_gives_the_same_bytes(project, results):
    first = (results / CRATE).read_bytes()
    write_crate(project, read_record(results), results)
    assert (results / CRATE).read_bytes() == first


def test_the_library_reads_it_back(results):
    crate = ROCrate(results)
    assert crate.mainEntity.id == "workflow/manifest.py"
    assert {action.id for action in crate.root_dataset["mentions"]} >= {"#run", "#organization"}


def test_verify_covers_inputs_and_workflow(project, results):
    assert changed_results(results) == []
    path = results / "inputs" / "data" / "studies" / "cheng2022.yaml"
    path.write_text(path.read_text() + "# touched\n")
    (results / "workflow" / "notebooks" / f"{FIRST.name}.ipynb").unlink()
    assert changed_results(results) == [
        "inputs/data/studies/cheng2022.yaml: has changed since the run",
        f"workflow/notebooks/{FIRST.name}.ipynb: is missing",
    ]
    told = CliRunner().invoke(app, ["verify", str(results)])
    assert told.exit_code == 1
    assert "cheng2022.yaml: has changed since the run" in told.stdout
    (results / CRATE).unlink()
    assert changed_results(results) == [f"{CRATE}: is missing or can't be read"]


def test_verify_finds_records_that_disagree(project, results):
    record = read_record(results)
    path = f"tables/{FIRST.writes[0]}.csv"
    (results / path).write_text("another\n")
    record.notebooks[FIRST.name].outputs[path] = file_hash(results / path)
    record.write(results)
    assert f"{path}: run.json and {CRATE} disagree about it" in changed_results(results)


def test_moved_results_are_still_whole(results, tmp_path):
    shutil.copytree(results, tmp_path / "archive")
    assert changed_results(tmp_path / "archive") == []
    assert str(Project(results).root) not in (results / CRATE).read_text()
