"""Documents of one trial become one draft, or enter a reviewed study without overwriting it."""

import sys

import pytest
from ruamel.yaml import YAML

from pasimeta.cli import main
from pasimeta.errors import EvidenceError
from pasimeta.evidence.readers import extract_file
from pasimeta.pipeline.merging import merge_into, write_drafts


@pytest.fixture
def examples(project):
    return project.data / "examples"


def read(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def test_two_documents_of_one_trial_become_one_draft(examples, tmp_path):
    pages = [extract_file(examples / name) for name in ("registry_page.txt", "report.txt", "record.json")]
    paths = list(write_drafts(pages, tmp_path))
    assert [p.name for p in paths] == ["nct99990001.yaml", "nct99990001.yaml", "nct99990002.yaml"]
    draft = read(paths[0])
    assert draft["sources"] == ["nct99990001-stored", "nct99990001-stored-2"]
    assert draft["registration"]["enrollment"]["value"] == 24
    assert draft["population"]["enrolled"]["source"] == "nct99990001-stored-2"
    assert len(draft["arms"]) == 2
    assert "PROBLEM percent_count_mismatch (line 13)" in paths[0].read_text()


def test_a_file_that_was_there_before_is_not_replaced(examples, tmp_path):
    page = extract_file(examples / "record.json")
    list(write_drafts([page], tmp_path))
    with pytest.raises(EvidenceError, match="exists already"):
        list(write_drafts([page], tmp_path))


def test_a_reviewed_study_keeps_its_values_and_comments(examples, tmp_path):
    (path,) = set(write_drafts([extract_file(examples / "registry_page.txt")], tmp_path))
    reviewed = path.read_text().replace("value: 24,", "value: 23,").replace("phase:", "# checked by hand\nphase:")
    path.write_text(reviewed)
    merge_into(path, [extract_file(examples / "registry_page.txt")])
    merged = read(path)
    assert "# checked by hand" in path.read_text()
    assert merged["registration"]["enrollment"]["value"] == 23
    assert [r["value"] for c in merged["conflicts"] for r in c["readings"]] == [23, 24]


def test_another_trial_leaves_the_file_untouched(examples, tmp_path):
    (path,) = set(write_drafts([extract_file(examples / "registry_page.txt")], tmp_path))
    before = path.read_bytes()
    pages = [extract_file(examples / name) for name in ("report.txt", "record.json")]
    with pytest.raises(EvidenceError, match=r"record.json: tells of NCT99990002, but .* of NCT99990001"):
        merge_into(path, pages)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_command_merges_into_a_study(examples, tmp_path, monkeypatch, capsys):
    (path,) = set(write_drafts([extract_file(examples / "registry_page.txt")], tmp_path))

    def command(study):
        arguments = ["pasimeta", "extract", "--merge-into", str(study), str(examples / "report.txt")]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, *capsys.readouterr()

    assert command(path) == (0, f"merged: {path}\n", "")
    assert read(path)["population"]["enrolled"]["value"] == 21
    status, _, errors = command(tmp_path / "nowhere.yaml")
    assert status == 2
    assert "nowhere.yaml: can't be read" in errors
