"""Whatever is wrong with a data file, the message names file, line, field and remedy."""

import pytest

from pasimeta.errors import EvidenceError
from pasimeta.evidence.store import cited_figures, load_evidence, load_study


def break_file(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return next(i for i, line in enumerate(path.read_text().splitlines(), start=1) if new.splitlines()[0] in line)


def complaint(directory):
    with pytest.raises(EvidenceError) as refusal:
        load_evidence(directory)
    return str(refusal.value)


def test_wrong_type_is_reported_with_file_line_and_field(copied_project):
    path = copied_project.data / "studies" / "cheng2022.yaml"
    line = break_file(path, "events: {lower: 6, upper: 8}", "events: {lower: six, upper: 8}")
    message = complaint(copied_project.data)
    assert f"{path}:{line}: outcomes.1.events.lower: input should be a valid integer" in message


def test_unknown_field_is_reported(copied_project):
    path = copied_project.data / "studies" / "yao2021.yaml"
    line = break_file(path, "label: Yao 2021", "label: Yao 2021\nlable: Yao")
    assert f"{path}:{line + 1}: lable: extra inputs are not permitted" in complaint(copied_project.data)


def test_missing_field_is_reported(copied_project):
    path = copied_project.data / "studies" / "yao2021.yaml"
    text = path.read_text()
    path.write_text("\n".join(line for line in text.splitlines() if not line.startswith("design:")))
    assert "design: field required" in complaint(copied_project.data)


def test_broken_yaml_is_reported_with_its_line(copied_project):
    path = copied_project.data / "studies" / "yao2021.yaml"
    path.write_text("id: yao2021\nlabel: [unclosed\ntitle: x: y\n")
    message = complaint(copied_project.data)
    assert message.startswith(f"{path}:")
    assert "is not valid YAML" in message


def test_binary_file_is_reported(copied_project):
    path = copied_project.data / "studies" / "yao2021.yaml"
    path.write_bytes(b"\xff\xfe\x00id")
    assert f"{path}: is not UTF-8 text" in complaint(copied_project.data)


@pytest.mark.parametrize("content", ["", "just text", "- a\n- list\n", "42\n"])
def test_file_that_is_no_record_is_reported(copied_project, content):
    path = copied_project.data / "studies" / "yao2021.yaml"
    path.write_text(content)
    assert f"{path}:1: the file: " in complaint(copied_project.data)


def test_unknown_source_is_reported(copied_project):
    path = copied_project.data / "studies" / "cheng2022.yaml"
    break_file(path, "source: cheng2022-abstract-doaj", "source: nowhere")
    assert "source 'nowhere' is not in sources.yaml; add it there or mend the id" in complaint(copied_project.data)


def test_unknown_source_of_an_agreeing_document_is_reported(copied_project):
    path = copied_project.data / "studies" / "cheng2022.yaml"
    break_file(path, "also: [{source: cheng2022-news-stored", "also: [{source: nowhere")
    assert "source 'nowhere' is not in sources.yaml" in complaint(copied_project.data)


def test_file_name_and_id_agree(copied_project):
    path = copied_project.data / "studies" / "yao2021.yaml"
    path.rename(path.with_name("yao2020.yaml"))
    assert "id: is 'yao2021', but the file is named 'yao2020'; rename one of them" in complaint(copied_project.data)


def test_missing_file_is_reported(copied_project):
    (copied_project.data / "sources.yaml").unlink()
    assert "sources.yaml: is missing; restore it" in complaint(copied_project.data)


def test_folder_without_studies_is_refused(tmp_path):
    assert "holds no folder 'studies'" in complaint(tmp_path)


def test_every_problem_is_reported_at_once(copied_project):
    for study, wrong in (("cheng2022", "phase: 7"), ("yao2021", "donor: cat")):
        path = copied_project.data / "studies" / f"{study}.yaml"
        break_file(
            path, "phase:" if "phase" in wrong else "donor: allogeneic", wrong + ("\nx:" if "phase" in wrong else "")
        )
    message = complaint(copied_project.data)
    assert "cheng2022.yaml" in message
    assert "yao2021.yaml" in message


def test_one_study_can_be_read_alone(project):
    assert load_study(project.data / "studies" / "cheng2022.yaml").id == "cheng2022"
    with pytest.raises(EvidenceError, match="is missing"):
        load_study(project.data / "studies" / "nobody.yaml")


def test_cited_figures_come_with_their_path(evidence):
    found = dict(cited_figures(evidence.studies["cheng2022"]))
    assert found["outcomes.0"].events.lower == 8
    assert found["population.enrolled"].value == 17
