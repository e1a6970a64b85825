"""``pasimeta extract``: what is printed, what is written, and the exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pasimeta.cli import main
from pasimeta.evidence.readers import extract_text, study_yaml
from pasimeta.evidence.study import Study

PAGE = """UC-MSC in Patients With Psoriasis
Registration Number
NCT94000001
Status
Completed
Phase
Phase 1/Phase 2
Allocation
NA
Actual Enrollment
12
Patients were infused with 2 x 10^6 cells/kg at weeks 0, 2 and 4.
Primary Outcome Measures
PASI75 at week 12
"""


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Return exit status, output and error output of the command."""
    monkeypatch.setattr("sys.argv", ["pasimeta", "extract", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A registry page on disk."""
    path = tmp_path / "page.txt"
    path.write_text(PAGE, encoding="utf-8")
    return path


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], page: Path) -> None:
    status, out, _ = run(monkeypatch, capsys, str(page), "--format", "json")
    printed = json.loads(out)
    assert status == 0
    assert set(printed) == {"document", "study", "claims", "problems"}
    assert set(printed["document"]) == {"name", "sha256", "kind"}
    assert printed["study"]["arms"][0]["dose"]["cells_per_kg"] == [2e6, 2e6]
    assert printed["study"]["relapse_definition"] is None


def test_several_files_make_a_list_and_an_unreadable_one_an_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], page: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    status, out, err = run(monkeypatch, capsys, str(page), str(empty), str(page))
    assert (status, len(json.loads(out))) == (2, 2)
    assert err.count("\n") == 1
    assert "empty.txt: is empty" in err


def test_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], page: Path) -> None:
    status, out, _ = run(monkeypatch, capsys, str(page), "--format", "table")
    assert status == 0
    assert "2 million cells/kg; 3 infusions; weeks 0, 2, 4" in out
    assert "pasi_response 75, weeks 12 (primary)  [line 14]" in out


def test_a_draft_is_a_study_and_is_never_overwritten(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], page: Path, tmp_path: Path
) -> None:
    out = tmp_path / "drafts"
    status, printed, _ = run(monkeypatch, capsys, str(page), "--draft", "--out", str(out))
    draft = out / "nct94000001.yaml"
    assert status == 0
    assert printed == f"draft: {draft}\n"
    study = Study.model_validate(YAML(typ="safe").load(draft.read_text(encoding="utf-8")))
    assert study.registration is not None
    assert (study.registration.enrollment.value, study.registration.enrollment_type) == (12, "actual")
    assert study.arms[0].dose is not None
    assert study.arms[0].dose.weeks == [0, 2, 4]
    assert study.population.age.reason
    draft.write_text("reviewed", encoding="utf-8")
    status, _, err = run(monkeypatch, capsys, str(page), "--draft", "--out", str(out))
    assert (status, draft.read_text(encoding="utf-8")) == (2, "reviewed")
    assert "exists already" in err


@pytest.mark.parametrize(
    "text",
    [
        PAGE.replace("2 x 10^6 cells/kg at weeks 0, 2 and 4", "2 x 10^6 cells/kg"),
        PAGE.replace("12\nPatients", '12\nTitle: "quoted: # and {odd}" \\ psoriasis\nPatients'),
        PAGE + "Treatment: MSC 1 to 3 x 10^6 cells/cm2, methotrexate 5 mg\n",
        "Psoriasis: 47.1% (3/17) of patients had at least a 50% improvement after MSC: no serious adverse events.",
    ],
)
def test_any_draft_is_yaml(text: str) -> None:
    extraction = extract_text(text, "a: strange # name.txt")
    draft = study_yaml(extraction)
    loaded = YAML(typ="safe").load(draft)
    assert set(loaded) <= set(Study.model_fields)
    assert draft.count("# PROBLEM") == len(extraction.problems)
