"""A new study's file names every field there is, isn't mistaken for a filled one, and is a study once it is filled."""

import re

import pytest
from ruamel.yaml import YAML
from test_cli import pasimeta

from pasimeta.errors import EvidenceError
from pasimeta.evidence.store import load_evidence, load_study
from pasimeta.evidence.study import Study
from pasimeta.pipeline.new_study import new_study_yaml, write_new_study

FILLED = {
    "label": "Smith 2026",
    "design": "single_arm",
    "allocation": "na",
    "status": "reported",
    "status_reason": "Published in 2026",
    "product_class": "expanded_msc",
    "description": "Cultured cells of unrelated donors, infused",
    "condition": "plaque_psoriasis",
    "id": "single",
    "authors": "Smith A",
    "year": "2026",
    "endpoint": "pasi_response",
    "events": "4",
    "n_enrolled": "10",
    "n_analysed": "10",
    "source": "smith2026-abstract",
    "locator": "abstract",
    "confidence": "seen",
    "sources": "[smith2026-abstract]",
}
SOURCE = 'smith2026-abstract: {kind: abstract, title: An abstract, url: "https://doi.org/10.0000/smith"}\n'


def uncommented(text, *blocks):
    """Take the first "# " from each line of a top-level block, and the empty value before it away."""
    for block in blocks:
        text = re.sub(rf"^{block}: (\[\]|null).*\n(?=# {block}:)", "", text, flags=re.MULTILINE)
        start = text.index(f"\n# {block}:") + 1
        end = re.compile(r"^(?!# )", re.MULTILINE).search(text, start).start()
        text = text[:start] + re.sub(r"^# ", "", text[start:end], flags=re.MULTILINE) + text[end:]
    return text


def filled(text):
    """Fill every empty field, as someone who knows nothing but what the comments say."""
    text = text.replace("reason: }", "reason: Not given in any document seen}")
    for name, value in FILLED.items():
        text = re.sub(rf"^((?!#)[ -]*{name}:)( *#.*)?$", rf"\1 {value}\2", text, flags=re.MULTILINE)
    text = text.replace("    # threshold:", "    threshold: 75")
    return text.replace("    # week_reason:", "    week_reason: Not given in any document seen")


def with_study(project, text):
    (project.data / "studies" / "smith2026.yaml").write_text(text, encoding="utf-8")
    with (project.data / "sources.yaml").open("a", encoding="utf-8") as file:
        file.write(SOURCE)
    return project


def field_names():
    """Return every field of a study and of the models in it, by way of the JSON schema that editors use."""
    schema = Study.model_json_schema()
    fields = {name for part in [schema, *schema["$defs"].values()] for name in part.get("properties", {})}
    return fields - {"value", "reason", "part", "lower", "upper"}


def test_every_field_of_the_model_is_named():
    assert field_names() <= set(re.findall(r"([a-z_0-9]+):", new_study_yaml("smith2026")))


def test_every_allowed_value_is_named():
    text = new_study_yaml("smith2026")
    for definition in Study.model_json_schema()["$defs"].values():
        for details in definition.get("properties", {}).values():
            for option in details.get("anyOf", [details]):
                for value in option.get("enum", []):
                    assert re.search(rf"\b{value}\b", text), value


def test_unfilled_study_fails_the_check_line_by_line(copied_project):
    write_new_study("smith2026", copied_project.data / "studies")
    done = pasimeta("check", cwd=copied_project.root)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert all(re.match(r"pasimeta: .*smith2026\.yaml:\d+: [a-z_.0-9]+: ", line) for line in lines)
    for field in ("label", "design", "allocation", "status", "product.product_class", "sources", "arms.0.id"):
        assert any(f": {field}: is empty; " in line for line in lines), field
    for fact in ("population.enrolled", "population.female", "follow_up", "arms.0.n"):
        assert any(line.endswith(f": {fact}: a null value needs a reason") for line in lines), fact


def test_line_of_a_message_is_the_line_to_fill(tmp_path):
    path = write_new_study("smith2026", tmp_path)
    with pytest.raises(EvidenceError) as refusal:
        load_study(path)
    text = path.read_text(encoding="utf-8").splitlines()
    for message in str(refusal.value).splitlines():
        line, field = re.search(r"yaml:(\d+): ([a-z_.0-9]+): ", message).groups()
        assert f"{field.rsplit('.', 1)[-1]}:" in text[int(line) - 1], message


def test_study_with_nothing_but_the_needed_fields_passes_the_check(copied_project):
    text = filled(new_study_yaml("smith2026")).replace("status: reported", "status: unknown")
    done = pasimeta("check", cwd=with_study(copied_project, text).root)
    assert done.returncode == 0, done.stderr


def test_filled_study_passes_the_check_and_holds_what_was_filled_in(copied_project, evidence):
    text = filled(uncommented(new_study_yaml("smith2026"), "citation", "outcomes"))
    found = load_evidence(with_study(copied_project, text).data)
    assert len(found.studies) == len(evidence.studies) + 1
    study = found.studies["smith2026"]
    (outcome,) = study.outcomes
    assert (outcome.label, outcome.events.lower, outcome.n_analysed, outcome.week) == ("PASI75", 4, 10, None)
    assert study.citation.year == 2026
    assert study.population.enrolled.reason == "Not given in any document seen"


@pytest.mark.parametrize("block", ["citation", "outcomes", "safety", "patients", "findings", "registration"])
def test_every_commented_block_is_yaml_without_its_sign(block):
    content = YAML(typ="safe").load(uncommented(new_study_yaml("smith2026"), block))
    assert content[block]


def test_file_that_exists_is_left_alone(copied_project):
    path = copied_project.data / "studies" / "cheng2022.yaml"
    before = path.read_bytes()
    done = pasimeta("new-study", "cheng2022", cwd=copied_project.root)
    assert done.returncode == 2
    assert "exists already" in done.stderr
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "Smith2026", "../smith", "smith 2026", "-smith", "smith.yaml"])
def test_id_that_cannot_be_one_is_refused(tmp_path, name):
    with pytest.raises(EvidenceError, match="can't be a study's id"):
        write_new_study(name, tmp_path / "studies")
    assert not (tmp_path / "studies").exists()
